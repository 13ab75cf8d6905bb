import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { doorAt, type GraphqlDoor, startStack, type TestStack } from '../support/app.js';
import { type ChildInstance, startChild } from '../support/child-instance.js';
import { eventually } from '../support/eventually.js';
import { type MeteredProxy, type MeteredRequest, startMeteredProxy } from '../support/metered-proxy.js';
import { becomes, openRoom, started } from '../support/recording-life.js';

const ENDED = 15_000;
const ROOMS = 3;
/** Of an egress in LiveKit's list; it is some 1.2 KB. */
const MOST_BYTES_OF_ONE = 4_000;

const isList = ({ method }: MeteredRequest): boolean => method === 'Egress/ListEgress';
/** Neither one egress, nor those of a room, nor those that are active: what has ended within a day, too. */
const isWhole = (request: MeteredRequest): boolean =>
  isList(request) && !request.body.egressId && !request.body.roomName && request.body.active !== true;
const isOfActive = (request: MeteredRequest): boolean => isList(request) && request.body.active === true;

describe('a LiveKit that lists fifteen thousand ended egresses of others', () => {
  let stack: TestStack;
  let proxy: MeteredProxy;
  let child: ChildInstance;
  let door: GraphqlDoor;

  beforeAll(async () => {
    stack = await startStack();
    proxy = await startMeteredProxy(stack.env.LIVEKIT_URL!);
    child = await startChild({
      ...stack.env,
      LIVEKIT_URL: proxy.url,
      SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s',
    });
    door = doorAt(child.url);
    stack.simulator.setReceiver(httpReceiver(`${child.url}/livekit/webhook`, new AbortController().signal));
    for (let i = 0; i < ROOMS; i += 1) await openRoom(stack, door, `room-${i}`);
  });
  afterAll(async () => {
    await child.kill();
    await proxy.close();
    await stack.close();
  });

  /** What the next passes ask of LiveKit, each from one list of what is active to the next. */
  const passes = async (many: number): Promise<MeteredRequest[][]> => {
    const from = proxy.requests.length;
    const listsOfActive = (): number[] =>
      proxy.requests.flatMap((one, i) => (i >= from && isOfActive(one) && !one.body.roomName ? [i] : []));
    await eventually(() => listsOfActive().length > many || `${listsOfActive().length} passes`, {
      withinMs: 60_000,
    });
    const at = listsOfActive();
    return Array.from({ length: many }, (_, i) => proxy.requests.slice(at[i], at[i + 1]));
  };
  const listBytes = (pass: readonly MeteredRequest[]): number =>
    pass.filter(isOfActive).reduce((sum, { answerBytes }) => sum + answerBytes, 0);

  it('costs a pass what is active, and nobody who asks waits for a whole list', async () => {
    const recordings = [];
    for (let i = 0; i < ROOMS - 1; i += 1) recordings.push(await started(door, `room-${i}`));
    const before = await passes(3);
    stack.simulator.plantEndedEgresses(ENDED);
    const after = await passes(5);
    for (const pass of after) {
      expect(listBytes(pass)).toBeLessThan((ROOMS + 1) * MOST_BYTES_OF_ONE);
      // One more than the most before: another question may fall into it, to a worker or of a free one.
      const most = Math.max(...before.map((one) => one.filter(isList).length));
      expect(pass.filter((one) => isList(one) && !isWhole(one)).length).toBeLessThanOrEqual(most + 1);
    }

    const from = proxy.requests.length;
    recordings.push(await started(door, `room-${ROOMS - 1}`));
    for (const { id } of recordings) {
      await door.graphql('mutation($id: ID!) { stopRecording(id: $id) { status } }', { id });
      await becomes(door, id, { status: 'COMPLETE' });
    }
    await door.graphql('{ recordings(first: 10) { edges { node { id status } } } liveRooms { name } }');
    await fetch(`${child.url}/health/ready`);
    const asked = proxy.requests.slice(from);
    expect(asked.map(({ method }) => method)).toContain('Egress/StartRoomCompositeEgress');
    // The sweep reads the whole one every five minutes, for what ended unseen.
    expect(asked.filter(isWhole).length).toBeLessThanOrEqual(1);
  });

  it('is alive all along, also while it reads the whole of that list', async () => {
    const from = proxy.requests.length;
    const answers: { readonly status: number; readonly at: number }[] = [];
    let over = false;
    const pass = door
      .graphql<{ runSweep: { finishedAt: string | null } }>(
        'mutation { runSweep(name: LIVEKIT_RECONCILIATION) { failed } }',
      )
      .finally(() => (over = true));
    while (!over) {
      const { status } = await fetch(`${child.url}/health/live`);
      answers.push({ status, at: performance.now() });
    }
    expect((await pass).code).toBeNull();
    const overAt = performance.now();
    const whole = proxy.requests.slice(from).find(isWhole);
    expect(whole?.answerBytes).toBeGreaterThan(ENDED * 500);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    // From its last byte to the end of the pass the list is read: not in one go, in which nobody else has a turn.
    const during = answers.filter(({ at }) => at > (whole?.endedAt ?? 0) && at < overAt);
    expect(during.length).toBeGreaterThan(3);
  });
});
