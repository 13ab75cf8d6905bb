import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { ADMIN_KEY, startStack, type TestStack } from '../support/app.js';
import { type ChildInstance, startChild } from '../support/child-instance.js';
import { eventually } from '../support/eventually.js';

/** Starts that are under way at any moment. */
const LANES = 3;

interface Event {
  readonly cursor: string;
  readonly recording: { readonly id: string; readonly version: number };
}

/** What an orchestrator does: a process that is to end gets nothing new for a moment, and is told then. */
class Balancer {
  private turn = 0;
  constructor(private readonly serving: ChildInstance[]) {}

  pick(): ChildInstance {
    this.turn += 1;
    return this.serving[this.turn % this.serving.length]!;
  }

  add(instance: ChildInstance): void {
    this.serving.push(instance);
  }

  takeOut(): ChildInstance {
    return this.serving.shift()!;
  }
}

describe('three instances that are restarted one after the other under load', () => {
  let stack: TestStack;
  const children: ChildInstance[] = [];
  const start = async (): Promise<ChildInstance> => {
    const child = await startChild(stack.env);
    children.push(child);
    return child;
  };
  beforeAll(async () => {
    stack = await startStack();
  });
  afterAll(async () => {
    for (const child of children) await child.kill();
    await stack.close();
  });

  it('refuse no start and lose no event', async () => {
    const balancer = new Balancer([await start(), await start(), await start()]);
    stack.simulator.setReceiver((webhook) => httpReceiver(`${balancer.pick().url}/livekit/webhook`)(webhook));
    const events: Event[] = [];
    const over = new AbortController();
    // What begins before the first subscription stands is no less to be followed.
    const { data } = await ask(balancer, '{ recordings(first: 1) { eventCursor } }');
    const { eventCursor } = data!.recordings as { eventCursor: string };
    const following = follow(balancer, events, eventCursor, over.signal);
    const started: string[] = [];
    const problems: string[] = [];
    let rolled = false;
    const lane = async (n: number): Promise<void> => {
      for (let i = 0; !rolled; i += 1) {
        const room = `room-${n}-${i}`;
        stack.simulator.openRoom(room, { publishers: ['ada'] });
        const answer = await ask(
          balancer,
          `mutation { startRecording(input: { roomId: "${room}" }) { id } }`,
        );
        const { id } = (answer.data?.startRecording ?? {}) as { id?: string };
        if (id === undefined) problems.push(JSON.stringify(answer));
        else {
          started.push(id);
          const stopped = await ask(balancer, `mutation { stopRecording(id: "${id}") { id } }`);
          if (stopped.errors) problems.push(JSON.stringify(stopped));
        }
      }
    };
    const lanes = Array.from({ length: LANES }, (_, n) => lane(n));
    for (let i = 0; i < 3; i += 1) {
      // A new one serves before an old one ends.
      balancer.add(await start());
      const old = balancer.takeOut();
      await new Promise((go) => setTimeout(go, 500));
      old.signal('SIGTERM');
      expect(await old.ended).toBe(0);
    }
    rolled = true;
    await Promise.all(lanes);
    expect(problems).toEqual([]);
    expect(started.length).toBeGreaterThan(10);
    const versions = (id: string): number[] =>
      events.filter(({ recording }) => recording.id === id).map(({ recording }) => recording.version);
    await eventually(async () => {
      for (const id of started) {
        const { data } = await ask(balancer, `{ recording(id: "${id}") { status version } }`);
        const now = data?.recording as { status: string; version: number };
        if (now.status !== 'COMPLETE') return `${id} is ${now.status}`;
        const expected = Array.from({ length: now.version }, (_, n) => n + 1).join();
        if (versions(id).join() !== expected)
          return `of ${id} came ${versions(id).join()} and not ${expected}`;
      }
      return true;
    });
    over.abort();
    await following;
  });
});

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly unknown[];
}

async function ask(balancer: Balancer, query: string): Promise<Answer> {
  const response = await fetch(`${balancer.pick().url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Answer;
}

/** A client that goes on elsewhere, after the last cursor, whenever its instance asks it to go. */
async function follow(balancer: Balancer, events: Event[], from: string, over: AbortSignal): Promise<void> {
  const done = new Promise<void>((resolve) => {
    over.addEventListener('abort', () => resolve(), { once: true });
  });
  while (!over.aborted) {
    const client = createClient({
      url: `${balancer.pick().url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${ADMIN_KEY}` },
      retryAttempts: 0,
    });
    const query = `subscription ($after: String) { recordingEvents(after: $after) { cursor recording { id version } } }`;
    const ended = new Promise<void>((resolve) => {
      client.subscribe<{ recordingEvents: Event }>(
        { query, variables: { after: events.at(-1)?.cursor ?? from } },
        {
          next: ({ data }) => data && events.push(data.recordingEvents),
          error: () => resolve(),
          complete: () => resolve(),
        },
      );
    });
    await Promise.race([ended, done]);
    await client.dispose();
    await new Promise((go) => setTimeout(go, 20));
  }
}
