import { aRecording, aRoomId } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { ParticipantSeen } from '../../livekit/livekit.types.js';
import { mediaKey, numberedSegmentKey, segmentKeys } from '../../storage/object-keys.js';
import type { Question } from '../domain/case.js';
import { type Evidence, known, type MediaProgress, NO_EVIDENCE, NOT_ASKED } from '../domain/evidence.js';
import type { StoredRecording } from '../domain/recording.js';
import { THRESHOLDS } from '../domain/thresholds.js';

const LIVEKIT_AWAY = { state: 'unavailable', error: { code: 'LIVEKIT_UNAVAILABLE' } };
const STORAGE_AWAY = { state: 'unavailable', error: { code: 'STORAGE_UNAVAILABLE' } };
const EG = 'EG_aaaaaaaaaaaa';
const SEGMENTS: Question = { ask: 'segments', egressId: EG };
const MINUTE = 60_000;

function aSegmented(fields: Partial<StoredRecording> = {}): StoredRecording {
  const upkeep = { egresses: { [EG]: 'live' } } as const;
  return {
    ...aRecording({ roomId: aRoomId('talk'), crashProof: true, status: 'ACTIVE', egressId: EG, upkeep }),
    ...fields,
  };
}

function store(scene: CoreScene, row: StoredRecording, numbers: readonly number[], bytes = 7): void {
  for (const number of numbers)
    scene.world.bucket.set(numberedSegmentKey(row, number), Buffer.alloc(bytes, 's'));
}

/** Evidence in which this is the newest segment. */
function knowing(newest: number | null): Evidence {
  const progress: MediaProgress = { newest, grewAt: 1, lookedAt: 2, stillAt: [] };
  return { ...NO_EVIDENCE, segments: { ...NO_EVIDENCE.segments, progress: known(progress) } };
}

function participant(identity: string, fields: Partial<ParticipantSeen> = {}): ParticipantSeen {
  return { identity, kind: 'standard', publishes: true, ...fields };
}
const ANN = participant('ann');
const LISTENER = participant('bob', { publishes: false });
const RECORDER = participant(EG, { kind: 'egress' });
const AGENT = participant('bot', { kind: 'agent' });

describe('whether any worker is there', () => {
  it('is yes while one answers', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const row = aSegmented();
    expect(await scene.evidence({ ask: 'fleet', since: 0 }, row)).toMatchObject({ fleet: known(true) });
    const inTheEnd = await scene.evidence({ ask: 'fleet-in-the-end', since: 0 }, row);
    expect(inTheEnd).toMatchObject({ fleet: NOT_ASKED, fleetInTheEnd: known(true) });
  });

  it('is open where none answers in time, and no once LiveKit says so', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.killWorker();
    const row = aSegmented();
    const { fleet } = await scene.evidence({ ask: 'fleet', since: 0 }, row);
    expect(fleet).toMatchObject(LIVEKIT_AWAY);
    const { fleetInTheEnd } = await scene.evidence({ ask: 'fleet-in-the-end', since: 0 }, row);
    expect(fleetInTheEnd).toEqual(known(false));
  });

  it('is known from what another egress answered since', async () => {
    const scene = new CoreScene();
    scene.world.recorders.heard.set('EG_other', 50);
    const since = async (at: number) =>
      (await scene.evidence({ ask: 'another-worker', egressId: EG, since: at }, aSegmented())).workers.get(
        EG,
      );
    expect(await since(49)).toMatchObject({ another: known(true) });
    expect(await since(50)).toMatchObject({ another: known(false) });
  });
});

describe('the room of a recording', () => {
  it('is shown as LiveKit has it', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { room } = await scene.evidence({ ask: 'room' }, aSegmented());
    const sid = expect.stringMatching(/^RM_/);
    expect(room).toMatchObject({ state: 'known', value: { open: true, sid, activeRecording: false } });
    const elsewhere = await scene.evidence({ ask: 'room' }, aSegmented({ roomId: aRoomId('closed') }));
    expect(elsewhere.room).toEqual(known({ open: false }));
    scene.world.engine.setFault({ name: 'rooms-fail', room: '*' });
    expect((await scene.evidence({ ask: 'room' }, aSegmented())).room).toMatchObject(LIVEKIT_AWAY);
  });

  it.each([
    ['somebody among others publishes', true, [LISTENER, ANN, RECORDER]],
    ['nobody publishes', false, [LISTENER]],
    ['the recorder alone publishes', false, [RECORDER]],
    ['an agent alone publishes', false, [AGENT]],
    ['nobody is in it', false, []],
  ])('is asked for publishers: %s', async (_who, publishes, there) => {
    const scene = new CoreScene();
    scene.instead(LiveKit, 'listParticipants', async () => there);
    expect((await scene.evidence({ ask: 'publishers' }, aSegmented())).publishes).toEqual(known(publishes));
  });
});

describe('a look at the segments', () => {
  it('notes the newest at the first look', async () => {
    const scene = new CoreScene();
    const row = aSegmented();
    store(scene, row, [0, 1, 2]);
    const at = scene.world.clock.now();
    const { segments } = await scene.evidence(SEGMENTS, row);
    const progress = { newest: 2, grewAt: at, lookedAt: at, stillAt: [] };
    expect(segments).toMatchObject({ progress: known(progress), look: { value: { at, newest: 2 } } });
    expect(segments.look).toMatchObject({ value: { around: NOT_ASKED } });
    expect(scene.world.recorders.progress.get(EG)).toEqual(progress);
  });

  it.each<[string, number | null, readonly number[], number | null]>([
    ['the first that there is', null, [0], 0],
    ['the highest number, in whatever order the bucket lists them', 5, [99_999, 100_000], 100_000],
    ['nothing that is older than what is known', 100_000, [99_999], null],
    ['nothing that is known', 2, [0, 1, 2], null],
    ['what is new beyond as many as one request shows', 1_050, [...Array(1_100).keys()], 1_099],
  ])('finds %s', async (_what, newest, stored, found) => {
    const scene = new CoreScene();
    const row = aSegmented();
    store(scene, row, stored);
    scene.world.bucket.set(`${segmentKeys(row).prefix}_x.ts`, Buffer.from('none of its'));
    const { look } = (await scene.evidence(SEGMENTS, row, knowing(newest))).segments;
    expect(look).toMatchObject({ value: { newest: found } });
  });

  it.each([
    ['nobody has looked for', NOT_ASKED],
    ['nobody has found', known(null)],
  ])('begins with nothing, of what %s before', async (_what, progress) => {
    const scene = new CoreScene();
    const before = { ...NO_EVIDENCE, segments: { ...NO_EVIDENCE.segments, progress } };
    const at = scene.world.clock.now();
    const { segments } = await scene.evidence(SEGMENTS, aSegmented(), before);
    expect(segments.progress).toEqual(known({ newest: null, grewAt: at, lookedAt: at, stillAt: [] }));
  });

  it('reads no more names than one request shows', async () => {
    const scene = new CoreScene();
    const row = aSegmented();
    const most = THRESHOLDS.segmentsALook;
    store(scene, row, [...Array(most + 3).keys()]);
    const { look } = (await scene.evidence(SEGMENTS, row)).segments;
    expect(look).toMatchObject({ value: { newest: most - 1 } });
  });

  it.each<[string, Partial<StoredRecording>, readonly ParticipantSeen[], object]>([
    ['somebody publishes', {}, [LISTENER, ANN, RECORDER], { isDue: true, recorderOut: false }],
    ['its recorder is out of the room', {}, [LISTENER, ANN], { isDue: true, recorderOut: true }],
    ['nobody publishes', {}, [LISTENER, RECORDER], { isDue: false, recorderOut: false }],
    ['it was told to end', { status: 'ENDING' }, [LISTENER], { isDue: true, recorderOut: true }],
    ['its room is closed', { roomId: aRoomId('closed') }, [], { isDue: true, recorderOut: true }],
  ])('without a new one asks what is around it: %s', async (_what, fields, there, around) => {
    const scene = new CoreScene();
    await scene.meeting();
    const row = aSegmented(fields);
    scene.instead(LiveKit, 'listParticipants', async () => [...there]);
    const at = scene.world.clock.now();
    const { look, progress } = (await scene.evidence(SEGMENTS, row, knowing(3))).segments;
    expect(look).toMatchObject({ state: 'known', value: { newest: null, around: known(around) } });
    const stillAt = 'isDue' in around && around.isDue ? [at] : [];
    expect(progress).toMatchObject({ value: { newest: 3, lookedAt: at, stillAt } });
  });

  it('without a new one says nothing where LiveKit cannot be asked', async () => {
    const scene = new CoreScene();
    scene.world.engine.setFault({ name: 'rooms-fail', room: '*' });
    const { look, progress } = (await scene.evidence(SEGMENTS, aSegmented(), knowing(3))).segments;
    expect(look).toMatchObject({ value: { around: LIVEKIT_AWAY } });
    expect(progress).toMatchObject({ value: { stillAt: [] } });
  });

  it.each<[string, number | null, readonly number[], number]>([
    ['no segment of it ever came', null, [], 0],
    ['there is a new one', 3, [4], 0],
    ['the bucket is slow', 3, [], THRESHOLDS.promptBucketMs + 1],
  ])('asks LiveKit nothing where %s', async (_what, newest, stored, slowByMs) => {
    const scene = new CoreScene();
    await scene.meeting();
    const row = aSegmented();
    store(scene, row, stored);
    scene.world.bucket.slowByMs = slowByMs;
    const { look } = (await scene.evidence(SEGMENTS, row, knowing(newest))).segments;
    expect(look).toMatchObject({ state: 'known', value: { around: NOT_ASKED } });
    const tookMs = look.state === 'known' ? look.value.tookMs : NaN;
    expect(tookMs - slowByMs).toBeGreaterThanOrEqual(0);
    expect(tookMs - slowByMs).toBeLessThan(100);
  });

  it('says nothing where the bucket cannot be asked', async () => {
    const scene = new CoreScene();
    scene.world.bucket.away = true;
    const at = scene.world.clock.now();
    const { look, progress } = (await scene.evidence(SEGMENTS, aSegmented(), knowing(3))).segments;
    expect(look).toMatchObject(STORAGE_AWAY);
    expect(progress).toEqual(known({ newest: 3, grewAt: 1, lookedAt: at, stillAt: [] }));
  });
});

describe('the trial of the bucket', () => {
  const MOST = THRESHOLDS.mostTrialBytes;
  it.each<[string, number | null, number, number]>([
    ['as many bytes as the newest segment', 3, 11, 11],
    ['as many as the first, where none is known', null, 7, 7],
    ['no more than a segment may have', 3, MOST + 1, MOST],
    ['none where the segment is gone', 9, 11, 0],
  ])('stores %s beside the segments, and tells how long that took', async (_what, newest, bytes, stored) => {
    const scene = new CoreScene();
    const row = aSegmented();
    store(scene, row, [0]);
    store(scene, row, [3], bytes);
    scene.world.bucket.slowByMs = 500;
    const { storing } = (await scene.evidence({ ask: 'storing' }, row, knowing(newest))).segments;
    expect(scene.world.bucket.get(segmentKeys(row).trial)?.body).toHaveLength(stored);
    const tookMs = storing.state === 'known' ? storing.value : NaN;
    expect(tookMs - 500).toBeGreaterThanOrEqual(0);
    expect(tookMs - 500).toBeLessThan(100);
  });

  it('is followed by a look whether a segment came after all', async () => {
    const scene = new CoreScene();
    const { bucket } = scene.world;
    const grew = async (row: StoredRecording, newest: number | null) =>
      (await scene.evidence({ ask: 'segments-again' }, row, knowing(newest))).segments.grewSince;
    const listed = aSegmented();
    store(scene, listed, [6]);
    expect(await grew(listed, 3)).toEqual(known(true));
    expect(await grew(listed, 6)).toEqual(known(false));
    bucket.listedUntil = 0;
    const unlisted = aSegmented();
    store(scene, unlisted, [0, 4]);
    expect(await grew(unlisted, 3)).toEqual(known(true));
    expect(await grew(unlisted, null)).toEqual(known(true));
    expect(await grew(unlisted, 4)).toEqual(known(false));
    bucket.away = true;
    expect(await grew(unlisted, 3)).toMatchObject(STORAGE_AWAY);
  });
});

describe('the file of a recording', () => {
  it('is there with its size, or not there, or not to be asked for', async () => {
    const scene = new CoreScene();
    const row = aSegmented();
    const media = async () => (await scene.evidence({ ask: 'media' }, row)).media;
    expect(await media()).toEqual(known(null));
    scene.world.bucket.set(mediaKey(row), Buffer.alloc(12));
    expect(await media()).toEqual(known({ sizeBytes: 12 }));
    scene.world.bucket.away = true;
    expect(await media()).toMatchObject(STORAGE_AWAY);
  });
});

describe('whether a recording that ended by itself goes on', () => {
  const after = async (scene: CoreScene, last: StoredRecording) =>
    (await scene.evidence({ ask: 'continuation' }, last)).continuation;

  it.each([
    ['as by default', {}, true],
    ['not where its room is not to be recorded', { enabled: false }, false],
    ['not where its room wants none after a loss', { restartWhenLost: false }, false],
  ])('is what the settings of its room say: %s', async (_what, settings, wanted) => {
    const scene = new CoreScene();
    await scene.meeting('talk', settings);
    const endedInARow = wanted ? 1 : 0;
    expect(await after(scene, aSegmented())).toEqual(known({ wanted, endedInARow }));
  });

  it('is not wanted of a room that nobody knows', async () => {
    const scene = new CoreScene();
    expect(await after(scene, aSegmented())).toEqual(known({ wanted: false, endedInARow: 0 }));
  });

  const short = { startedAt: 60 * MINUTE, endedAt: 61 * MINUTE };
  const long = { startedAt: 60 * MINUTE, endedAt: 60 * MINUTE + THRESHOLDS.goodWhileMs };
  const neverActive = { startedAt: null, endedAt: 60 * MINUTE };
  const notEnded = { startedAt: 60 * MINUTE, endedAt: null };
  it.each([
    ['those that were active shortly or never', [short, neverActive, notEnded], 3],
    ['none before one that was active for a good while', [short, long, short, short], 2],
    ['at most as many as matter', Array.from({ length: 9 }, () => short), THRESHOLDS.mostInARow],
  ])('counts of its chain %s', async (_what, chain, endedInARow) => {
    const scene = new CoreScene();
    await scene.meeting();
    let last: StoredRecording | null = null;
    for (const fields of chain) last = scene.put(aSegmented({ ...fields, continues: last?.id ?? null }));
    expect(await after(scene, last!)).toEqual(known({ wanted: true, endedInARow }));
  });

  it('counts a chain whose beginning was deleted from there on', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const last = aSegmented({ ...short, continues: aRecording().id });
    expect(await after(scene, last)).toEqual(known({ wanted: true, endedInARow: 1 }));
  });
});
