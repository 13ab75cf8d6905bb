import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, readRecording, startIn, type StartSeen, STOP } from '../support/operations.js';
import { becomes, lifeFaults, openRoom, roomIsFree } from '../support/recording-life.js';

const FIFTY = Array.from({ length: 50 }, (_, i) => i);

describe('three instances', () => {
  let stack: TestStack;
  let instances: TestInstance[];
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack();
    instances = [await stack.start(), await stack.start(), await stack.start()];
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    room = `room-${(made += 1)}`;
    await openRoom(stack, at(0), room);
  });
  afterEach(() => stack.simulator.clearFaults());

  const at = (i: number): TestInstance => instances[i % 3]!;
  const fiftyStarts = (input: object = {}): Promise<StartSeen[]> =>
    Promise.all(FIFTY.map((i) => startIn(at(i), room, input)));
  /** How many egresses of the room were ever begun. */
  const begun = (): number => stack.simulator.egresses(room).length;

  it('give a room that is started fifty times at once exactly one egress', async () => {
    const all = await fiftyStarts();
    const winner = all.find(({ code }) => code === null)?.recording;
    const refused = all.filter(({ code }) => code !== null);
    expect(refused.map(({ code }) => code)).toEqual(Array(49).fill('RECORDING_ALREADY_STARTED'));
    expect(new Set(refused.map(({ recordingId }) => recordingId))).toEqual(new Set([winner?.id]));
    expect(begun()).toBe(1);
    const id = winner?.id ?? '';
    await Promise.all(FIFTY.map((i) => at(i).graphql(STOP, { id })));
    await becomes(at(1), id, { status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
    expect(await lifeFaults(at(2), id)).toEqual([]);
    await roomIsFree(stack, room);
    expect(begun()).toBe(1);
  });

  it.each([{ waitForActive: true }, { waitForActive: false }])(
    'answer fifty starts with one key alike, with one recording and one egress (%o)',
    async ({ waitForActive }) => {
      const all = await fiftyStarts({ idempotencyKey: `${room}-key`, waitForActive });
      expect(all.map(({ code }) => code)).toEqual(Array(50).fill(null));
      const ids = new Set(all.map(({ recording }) => recording?.id));
      expect(ids.size).toBe(1);
      if (waitForActive)
        expect(new Set(all.map(({ recording }) => recording?.status))).toEqual(new Set(['ACTIVE']));
      const [id = ''] = ids;
      await becomes(at(0), id, { status: 'ACTIVE' });
      expect(begun()).toBe(1);
    },
  );

  it('answer fifty starts with one key alike also when LiveKit refuses', async () => {
    stack.simulator.setFault({ name: 'start-refused-400', room });
    const all = await fiftyStarts({ idempotencyKey: `${room}-key` });
    expect(new Set(all.map(({ code }) => code))).toEqual(new Set(['RECORDING_START_REJECTED']));
    expect(new Set(all.map(({ recordingId }) => recordingId)).size).toBe(1);
    expect(begun()).toBe(0);
    await roomIsFree(stack, room);
  });

  it('see of fifty keys at once one recording, and leave the other keys unused', async () => {
    const all = await Promise.all(FIFTY.map((i) => startIn(at(i), room, { idempotencyKey: `${room}-${i}` })));
    const won = all.findIndex(({ code }) => code === null);
    const id = all[won]?.recording?.id ?? '';
    expect(all.filter(({ code }) => code === 'RECORDING_ALREADY_STARTED')).toHaveLength(49);
    await at(0).graphql(STOP, { id });
    await becomes(at(0), id, { status: 'COMPLETE' });
    await roomIsFree(stack, room);
    const lost = won === 0 ? 1 : 0;
    const next = await startIn(at(1), room, { idempotencyKey: `${room}-${lost}` });
    expect(next.code).toBeNull();
    expect(next.recording?.id).not.toBe(id);
    expect((await startIn(at(2), room, { idempotencyKey: `${room}-${won}` })).recording?.id).toBe(id);
  });

  it('carry on what one of them began: started here, stopped there, read everywhere', async () => {
    const rooms = Array.from({ length: 9 }, (_, i) => `${room}-${i}`);
    for (const each of rooms) {
      await createRoom(at(1), each);
      stack.simulator.openRoom(each);
    }
    const ids = await Promise.all(
      rooms.map(async (each, i) => (await startIn(at(i), each)).recording?.id ?? `no recording in ${each}`),
    );
    await Promise.all(ids.map((id, i) => at(i + 1).graphql(STOP, { id })));
    for (const id of ids) {
      await becomes(at(2), id, { status: 'COMPLETE' });
      expect(await readRecording(at(0), id)).toEqual(await readRecording(at(1), id));
      expect(await lifeFaults(at(0), id)).toEqual([]);
    }
    await eventually(
      () => stack.simulator.runningEgressIds().filter(inThisTest(rooms)).length === 0 || 'an egress runs',
    );
  });

  const inThisTest =
    (rooms: readonly string[]) =>
    (egressId: string): boolean =>
      rooms.includes(stack.simulator.egress(egressId)?.roomName ?? '');
});
