import { isTallyError } from '../../src/kernel/errors.js';
import { eventually } from '../support/eventually.js';
import type { BatteryCase, Rig, RigRun } from './livekit-rig.js';

const NOWHERE = 'no-room-of-this-name';
const UNKNOWN_EGRESS = 'EG_unknown00000';

/** Rooms, what is not there, questions without a trace, and whose questions are not answered. */
export const questionCases: readonly BatteryCase[] = [
  { title: 'our credentials open what we need', body: ({ livekit }) => livekit.checkAccess() },
  { title: 'a room in which somebody publishes is found by name and in the list of all', body: roomIsFound },
  { title: 'a room that nobody opened is not found, and nobody is in it', body: unknownRoom },
  { title: 'a participant who publishes is shown as one', body: publisherIsShown },
  { title: 'an egress that does not exist is not known, whoever is asked', body: unknownEgress },
  { title: 'a start in a room that is not open is refused and starts nothing', body: startNowhere },
  { title: 'the fleet is asked without a trace', body: askFleet },
  { title: 'data goes to an open room, to all or to one, and nowhere else', body: sendData },
  {
    title: 'whoever signs with another secret learns nothing, and no token shows in what it is told',
    needs: 'bad credentials',
    body: badCredentials,
  },
];

async function roomIsFound({ livekit, room: name, patience }: Rig): Promise<void> {
  await eventually(
    async () => ((await livekit.findRoom(name))?.numPublishers ?? 0) > 0 || `nobody publishes in ${name}`,
    { withinMs: patience.echoMs },
  );
  const room = await livekit.findRoom(name);
  expect(room).toMatchObject({ name, sid: expect.stringMatching(/^RM_/) });
  expect(room?.numParticipants).toBeGreaterThan(0);
  expect(room?.createdAtMs).toBeGreaterThan(Date.UTC(2020, 0, 1));
  expect((await livekit.listRooms()).map(({ sid }) => sid)).toContain(room?.sid);
}

async function unknownRoom({ livekit }: Rig): Promise<void> {
  expect(await livekit.findRoom(NOWHERE)).toBeNull();
  expect(await livekit.listParticipants(NOWHERE)).toEqual([]);
}

async function publisherIsShown({ livekit, room }: Rig): Promise<void> {
  const publishers = (await livekit.listParticipants(room)).filter(({ publishes }) => publishes);
  expect(publishers).not.toEqual([]);
  expect(publishers.map(({ kind }) => kind)).not.toContain('egress');
}

async function unknownEgress({ livekit, room }: Rig): Promise<void> {
  expect(await livekit.findEgress(UNKNOWN_EGRESS)).toBeNull();
  expect(await livekit.stopEgress(UNKNOWN_EGRESS)).toEqual({ kind: 'not-known' });
  expect(await livekit.askWorker(UNKNOWN_EGRESS)).toBe('not-known');
  expect(await livekit.askEndingWorker(UNKNOWN_EGRESS)).toBe('not-known');
  expect(await livekit.removeRecorder(room, UNKNOWN_EGRESS)).toBe(false);
}

async function startNowhere({ livekit }: Rig, run: RigRun): Promise<void> {
  const outcome = await livekit.startEgress(run.request(NOWHERE, run.newKey(NOWHERE)));
  expect(outcome).toMatchObject({ kind: 'refused', status: 404, why: expect.stringContaining('room') });
  expect(await livekit.listEgresses({ roomName: NOWHERE })).toEqual([]);
}

async function askFleet({ livekit, room, patience }: Rig): Promise<void> {
  const listed = async (): Promise<string[]> =>
    (await livekit.listEgresses({ roomName: room })).map(({ egressId }) => egressId).toSorted();
  const before = await listed();
  await eventually(
    async () => {
      const answer = await livekit.askFleet(room, 'room_composite');
      return answer === 'there' || `the fleet's answer is ${answer}`;
    },
    { withinMs: patience.startMs },
  );
  expect(await listed()).toEqual(before);
  expect(await livekit.askFleet(room, 'room_composite_audio')).toBe('there');
  expect(await listed()).toEqual(before);
  for (const kind of ['room_composite', 'room_composite_audio'] as const)
    expect(await livekit.askFleet(NOWHERE, kind)).toBe('room-not-open');
}

async function sendData({ livekit, room }: Rig): Promise<void> {
  const bytes = Buffer.from('{}');
  await livekit.sendData(room, 'tallylight.recording', bytes);
  const somebody = (await livekit.listParticipants(room)).find(({ publishes }) => publishes);
  await livekit.sendData(room, 'tallylight.recording', bytes, [somebody?.identity ?? 'nobody']);
  await expect(livekit.sendData(NOWHERE, 'tallylight.recording', bytes)).rejects.toMatchObject({
    code: 'LIVEKIT_UNAVAILABLE',
  });
}

async function badCredentials({ stranger, room }: Rig, run: RigRun): Promise<void> {
  if (stranger === null) throw new Error('this rig names nobody with another secret');
  const { livekit, secret } = stranger;
  const questions = [
    () => livekit.checkAccess(),
    () => livekit.findRoom(room),
    () => livekit.findEgress(UNKNOWN_EGRESS),
    () => livekit.stopEgress(UNKNOWN_EGRESS),
    () => livekit.askWorker(UNKNOWN_EGRESS),
    () => livekit.askFleet(room, 'room_composite'),
  ];
  for (const question of questions) {
    const error: unknown = await question().then(
      () => new Error('it was answered'),
      (reason: unknown) => reason,
    );
    if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE')) throw error;
    expect(error.message).toContain('credentials');
    const cause = error.cause instanceof Error ? `${error.cause.message} ${error.cause.stack}` : error.cause;
    expectNoSecret(`${error.message} ${error.stack} ${JSON.stringify(error)} ${cause}`, secret);
  }
  const start = await livekit.startEgress(run.request(room, run.newKey(room)));
  expect(start).toMatchObject({ kind: 'refused', status: 401 });
  expectNoSecret(JSON.stringify(start), secret);
}

function expectNoSecret(text: string, secret: string): void {
  expect(text).not.toMatch(/eyJ[\w-]+\./);
  expect(text).not.toContain(secret);
}
