import type { EgressSeen, LiveKitEvent } from '../../src/livekit/livekit.types.js';
import { eventually } from '../support/eventually.js';
import type { BatteryCase, Rig, RigRun } from './livekit-rig.js';

const ORDER = ['STARTING', 'ACTIVE', 'ENDING', 'COMPLETE'];

/** What becomes of an egress that runs. */
export const egressCases: readonly BatteryCase[] = [
  {
    title: 'audio alone goes from STARTING to COMPLETE, is shown in its room, stopped twice and kept',
    body: wholeLife,
  },
  {
    title: 'a room with its pictures goes from STARTING to COMPLETE and leaves a video',
    needs: 'video',
    body: video,
  },
  {
    title: 'an egress that is ending is still answered for by its worker, without further effect',
    body: endingIsAnsweredFor,
  },
  { title: 'a recorder that is removed from its room ends its egress whole', body: recorderIsRemoved },
  {
    title: 'a stop before anything was recorded ends the egress ABORTED, without media',
    needs: 'stop while starting',
    body: stopWhileStarting,
  },
];

async function wholeLife(rig: Rig, run: RigRun): Promise<void> {
  const { livekit, room, patience } = rig;
  const { egress, key } = await run.start(room);
  const { egressId } = egress;
  const { filepath } = rig.storage.egressOutput(key);
  expect(egress).toMatchObject({
    egressId: expect.stringMatching(/^EG_/),
    roomName: room,
    status: 'STARTING',
    filepath,
    endedAtMs: null,
    file: { filename: filepath, uploaded: false },
    error: null,
    endCause: null,
  });
  await event(rig, `${egressId} is STARTING`, isEgress(egressId, 'STARTING'));

  const active = await run.until(egressId, 'ACTIVE', patience.activeMs);
  expect(active).toMatchObject({ filepath, file: { startedAtMs: expect.any(Number), uploaded: false } });
  await recorderIsSeen(rig, egressId);
  await run.record(active);
  await workerIsAsked(rig, egressId);

  for (const stop of [await livekit.stopEgress(egressId), await livekit.stopEgress(egressId)]) {
    expect(stop).toMatchObject({
      kind: 'stopping',
      egress: { egressId, status: 'ENDING', endCause: 'stop-api' },
    });
  }
  const ended = await run.until(egressId, 'COMPLETE', patience.endMs);
  expect(ended).toMatchObject({ filepath, endCause: 'stop-api', file: { filename: filepath } });
  await expectMedia(rig, key, ended);
  await storyIsTold(rig, run, ended);

  expect(await livekit.stopEgress(egressId)).toEqual({ kind: 'not-stoppable', status: 'COMPLETE' });
  expect(await livekit.askWorker(egressId)).toBe('not-askable');
  expect(await livekit.askEndingWorker(egressId)).toBe('not-askable');
  expect(await idsListed(rig, { roomName: room, active: true })).not.toContain(egressId);
}

async function video(rig: Rig, run: RigRun): Promise<void> {
  const { livekit, patience } = rig;
  const { egress, key } = await run.start(rig.room, { audioOnly: false });
  const active = await run.until(egress.egressId, 'ACTIVE', patience.activeMs);
  await recorderIsShown(rig, rig.room, egress.egressId);
  expect(await livekit.askWorker(egress.egressId)).toBe('alive');
  await run.record(active);
  expect(await livekit.stopEgress(egress.egressId)).toMatchObject({
    kind: 'stopping',
    egress: { status: 'ENDING' },
  });
  const ended = await run.until(egress.egressId, 'COMPLETE', patience.endMs);
  await expectMedia(rig, key, ended);
  await event(rig, `${egress.egressId} is COMPLETE`, isEgress(egress.egressId, 'COMPLETE'));
}

async function endingIsAnsweredFor(rig: Rig, run: RigRun): Promise<void> {
  const { livekit, patience } = rig;
  const { egress, key } = await run.start(rig.room);
  await run.record(await run.until(egress.egressId, 'ACTIVE', patience.activeMs));
  expect(await livekit.stopEgress(egress.egressId)).toMatchObject({ kind: 'stopping' });
  expect(await livekit.askEndingWorker(egress.egressId)).toBe('alive');
  await expectMedia(rig, key, await run.until(egress.egressId, 'COMPLETE', patience.endMs));
}

async function recorderIsRemoved(rig: Rig, run: RigRun): Promise<void> {
  const { livekit, room, patience } = rig;
  const { egress, key } = await run.start(room);
  const active = await run.until(egress.egressId, 'ACTIVE', patience.activeMs);
  await recorderIsShown(rig, room, egress.egressId);
  await run.record(active);
  expect(await livekit.removeRecorder(room, egress.egressId)).toBe(true);
  const ended = await run.until(egress.egressId, 'COMPLETE', patience.endMs);
  expect(ended.endCause).toBe('source-closed');
  await expectMedia(rig, key, ended);
  await event(rig, `${egress.egressId} is COMPLETE`, isEgress(egress.egressId, 'COMPLETE'));
  await eventually(
    async () => !(await livekit.removeRecorder(room, egress.egressId)) || 'the recorder is still in the room',
    { withinMs: patience.echoMs },
  );
}

async function stopWhileStarting(rig: Rig, run: RigRun): Promise<void> {
  const { livekit, patience } = rig;
  const room = await rig.silentRoom();
  const { egress, key } = await run.start(room);
  const { egressId } = egress;
  await recorderIsShown(rig, room, egressId);
  expect(await livekit.askWorker(egressId)).toBe('alive');
  expect(await livekit.findEgress(egressId)).toMatchObject({ status: 'STARTING' });
  expect(await livekit.stopEgress(egressId)).toMatchObject({
    kind: 'stopping',
    egress: { status: 'ABORTED' },
  });
  const ended = await run.until(egressId, 'ABORTED', patience.endMs);
  expect(ended).toMatchObject({ errorCode: 412, file: { uploaded: false, durationMs: null } });
  expect(ended.error).not.toBeNull();
  expect(await rig.storage.get(key)).toBeNull();
  await event(rig, `${egressId} is ABORTED`, isEgress(egressId, 'ABORTED'));
}

/** As a participant, as the room's mark, as an event, and in every list. */
async function recorderIsSeen(rig: Rig, egressId: string): Promise<void> {
  const { livekit, room } = rig;
  await recorderIsShown(rig, room, egressId);
  await eventually(
    async () => (await livekit.findRoom(room))?.activeRecording === true || `${room} shows no recording`,
    { withinMs: rig.patience.echoMs },
  );
  await event(
    rig,
    `the recorder of ${egressId} has joined`,
    (one) =>
      one.kind === 'participant-joined' && one.identity === egressId && one.participantKind === 'egress',
  );
  for (const filter of [{}, { roomName: room }, { roomName: room, active: true }]) {
    expect(await idsListed(rig, filter)).toContain(egressId);
  }
}

async function workerIsAsked({ livekit }: Rig, egressId: string): Promise<void> {
  const before = await livekit.findEgress(egressId);
  expect(await livekit.askWorker(egressId)).toBe('alive');
  expect(await livekit.findEgress(egressId)).toEqual(before);
}

/** The webhooks tell the same as the list, in the order in which it happened. */
async function storyIsTold(rig: Rig, run: RigRun, ended: EgressSeen): Promise<void> {
  const { egressId } = ended;
  await event(rig, `${egressId} is COMPLETE`, isEgress(egressId, 'COMPLETE'));
  const story = run.egressEvents(egressId);
  expect(story.at(-1)).toEqual(ended);
  const steps = story.map(({ status }) => ORDER.indexOf(status));
  expect(steps).not.toContain(-1);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  await event(
    rig,
    `the recorder of ${egressId} has left`,
    (one) => one.kind === 'participant-left' && one.identity === egressId && one.participantKind === 'egress',
  );
}

/** Whole, where the request said, of the kind its name says, and nothing beside it. */
async function expectMedia({ storage }: Rig, key: string, ended: EgressSeen): Promise<void> {
  expect(ended).toMatchObject({ error: null, errorCode: 0, file: { uploaded: true } });
  const { file, endedAtMs } = ended;
  expect(file?.durationMs).toBeGreaterThan(0);
  expect(file?.endedAtMs).toBeGreaterThan(file?.startedAtMs ?? Infinity);
  expect(endedAtMs).toBeGreaterThanOrEqual(file?.endedAtMs ?? Infinity);
  const bytes = await storage.get(key);
  expect(bytes?.byteLength).toBe(file?.sizeBytes);
  const isOgg = bytes?.subarray(0, 4).toString('latin1') === 'OggS';
  const isMp4 = bytes?.subarray(4, 8).toString('latin1') === 'ftyp';
  expect({ isOgg, isMp4 }).toEqual({ isOgg: key.endsWith('.ogg'), isMp4: key.endsWith('.mp4') });
  const folder = key.slice(0, key.lastIndexOf('/'));
  expect(await storage.get(`${folder}/${ended.egressId}.json`)).toBeNull();
}

async function recorderIsShown({ livekit, patience }: Rig, room: string, egressId: string): Promise<void> {
  await eventually(
    async () =>
      (await livekit.listParticipants(room)).some(
        ({ identity, kind, publishes }) => identity === egressId && kind === 'egress' && !publishes,
      ) || `${egressId} is not shown in ${room}`,
    { withinMs: patience.activeMs },
  );
}

async function idsListed(
  { livekit }: Rig,
  filter: Parameters<Rig['livekit']['listEgresses']>[0],
): Promise<string[]> {
  return (await livekit.listEgresses(filter)).map(({ egressId }) => egressId);
}

function isEgress(egressId: string, status: EgressSeen['status']): (event: LiveKitEvent) => boolean {
  return (event) =>
    event.kind === 'egress' && event.egress.egressId === egressId && event.egress.status === status;
}

async function event(rig: Rig, what: string, wanted: (one: LiveKitEvent) => boolean): Promise<void> {
  await eventually(() => rig.events().some(wanted) || `no webhook says that ${what}`, {
    withinMs: rig.patience.echoMs,
  });
}
