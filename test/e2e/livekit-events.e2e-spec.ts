import type { FaultName } from '../../src/livekit/simulator/faults.js';
import { httpReceiver } from '../../src/livekit/simulator/webhook-http.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { readRecording, STOP } from '../support/operations.js';
import { becomes, lifeFaults, openRoom, roomIsFree, started } from '../support/recording-life.js';

describe('whatever becomes of LiveKit’s events', () => {
  let stack: TestStack;
  let one: TestInstance;
  let two: TestInstance;
  let room = '';
  let made = 0;
  let answered = 0;

  beforeAll(async () => {
    stack = await startStack();
    one = await stack.start();
    two = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, one, room);
    answered = 0;
    const deliver = httpReceiver(`${one.url}/livekit/webhook`, new AbortController().signal);
    stack.simulator.setReceiver(async (delivery) => {
      const answer = await deliver(delivery);
      if (delivery.event.egressInfo?.roomName === room) answered += 1;
      return answer;
    });
  });
  afterEach(() => stack.simulator.clearFaults());

  const stop = async (at: TestInstance, id: string): Promise<void> => {
    const { code } = await at.graphql(STOP, { id });
    if (code !== null) throw new Error(`stop: ${code}`);
  };
  /** Until every event of an egress was delivered and its job done. */
  const allToldAndDone = (events: number): Promise<void> =>
    eventually(async () => {
      const inbox = await stack.redisClient.llen('{tl}:queue:inbox:wait');
      const active = await stack.redisClient.llen('{tl}:queue:inbox:active');
      if (answered < events) return `${answered} of ${events} events were delivered`;
      return inbox + active === 0 || 'the inbox is not empty';
    });

  it.each<{ how: string; faults: [FaultName, number?][]; events: number }>([
    { how: 'doubled', faults: [['webhooks-doubled']], events: 8 },
    { how: 'late', faults: [['webhooks-late', 1_500]], events: 4 },
    { how: 'in any order', faults: [['webhooks-reordered', 1_000]], events: 4 },
    {
      how: 'doubled and in any order',
      faults: [['webhooks-reordered', 1_500], ['webhooks-doubled']],
      events: 8,
    },
    { how: 'lost', faults: [['webhooks-lost']], events: 0 },
    { how: 'lost but the first and the last', faults: [['updated-skipped']], events: 2 },
  ])('$how: the same end, no status goes back, one version per event', async ({ faults, events }) => {
    for (const [name, delayMs] of faults) stack.simulator.setFault({ name, room, delayMs });
    const { id } = await started(one, room, { waitForActive: false });
    await becomes(two, id, { status: 'ACTIVE' });
    await stop(two, id);
    const end = {
      status: 'COMPLETE',
      endReason: 'STOP_REQUESTED',
      error: null,
      mediaPath: `/recordings/${id}/media`,
    };
    await becomes(one, id, end);
    await allToldAndDone(events);
    expect(await readRecording(one, id)).toMatchObject(end);
    expect(await lifeFaults(one, id)).toEqual([]);
    await roomIsFree(stack, room);
  });

  it('merged into the first and the last: nothing was seen in between, and it is whole', async () => {
    stack.simulator.setFault({ name: 'updates-coalesced', room });
    const { id } = await started(one, room, { waitForActive: false });
    await eventually(
      () =>
        stack.simulator.rooms.find(room)?.toRoom().activeRecording === true ||
        'the recorder is not in the room yet',
    );
    stack.simulator.closeRoom(room);
    const over = await becomes(one, id, { endReason: 'ROOM_ENDED' });
    // A recorder that the closing room overtook before it was active has recorded nothing.
    expect(over.status).toBe(over.mediaPath === null ? 'ABORTED' : 'COMPLETE');
    await allToldAndDone(2);
    expect((await readRecording(one, id)).status).toBe(over.status);
    expect(await lifeFaults(one, id)).toEqual([]);
  });

  it('contradicting each other at the end: one of them stays, and the media is shown', async () => {
    stack.simulator.setFault({ name: 'complete-then-failed', room });
    const { id } = await started(one, room);
    await stop(two, id);
    await allToldAndDone(5);
    const end = await becomes(one, id, { mediaPath: `/recordings/${id}/media` });
    expect(['COMPLETE', 'FAILED']).toContain(end.status);
    expect(await lifeFaults(one, id)).toEqual([]);
  });

  it('come by the request itself where LiveKit’s own configuration names nobody, and are applied once', async () => {
    const reached = await stack.start({ PUBLIC_URL: one.url });
    stack.simulator.setReceiver(null);
    const webhooks = async (): Promise<number> => {
      const page = await fetch(`${one.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } });
      return Number(/^tallylight_livekit_webhooks_total (\d+)/m.exec(await page.text())?.[1] ?? 0);
    };
    const before = await webhooks();
    const { id } = await started(reached, room);
    await stop(reached, id);
    await becomes(reached, id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
    await eventually(async () => (await webhooks()) > before + 2 || 'no webhook came');
    expect(await lifeFaults(reached, id)).toEqual([]);
  });
});
