import { aRecording, anEgress } from '../../../test/support/builders.js';
import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import { TallyError } from '../../kernel/errors.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { WorkerAnswer } from '../../livekit/livekit.types.js';
import { type Evidence, known, NO_EVIDENCE, UNKNOWN_WORKER } from '../domain/evidence.js';
import type { StoredRecording, Upkeep } from '../domain/recording.js';
import { GatherEvidence } from './gather-evidence.js';
import { StopRecording } from './stop-recording.js';

const UNAVAILABLE = { state: 'unavailable', error: { code: 'LIVEKIT_UNAVAILABLE' } };
const EG = 'EG_aaaaaaaaaaaa';

/** A recording that is ACTIVE, with its egress. */
async function active() {
  const scene = new CoreScene();
  const row = await scene.recorded();
  return { scene, row, egressId: row.egressId! };
}

function withUpkeep(row: StoredRecording, upkeep: Partial<Upkeep>): StoredRecording {
  return { ...row, upkeep: { ...row.upkeep, ...upkeep } };
}

function egressIds({ sighting }: Evidence): string[] | undefined {
  return sighting?.egresses.map((one) => one.egressId);
}

const unavailable = async (): Promise<never> => {
  throw new TallyError('LIVEKIT_UNAVAILABLE', 'it is away');
};

describe('what is remembered for a verdict', () => {
  it('is what is noted of each watched worker, beside what this run has found out already', async () => {
    const scene = new CoreScene();
    const row = aRecording({ upkeep: { egresses: { EG_1: 'live', EG_2: 'live', EG_3: 'over' } } });
    scene.world.recorders.heard.set('EG_1', 5);
    scene.world.recorders.heard.set('EG_2', 7);
    const asked = { ...UNKNOWN_WORKER, listed: known(null) };
    const before = { ...NO_EVIDENCE, workers: new Map([['EG_2', asked]]) };
    const { workers, segments } = await scene.answer(scene.use(GatherEvidence).remembered(before, row));
    expect([...workers]).toEqual([
      ['EG_2', asked],
      ['EG_1', { ...UNKNOWN_WORKER, heardAt: 5 }],
    ]);
    expect(segments).toEqual(NO_EVIDENCE.segments);
  });

  const progress = { newest: 3, grewAt: 1, lookedAt: 2, stillAt: [] };
  const writing = { crashProof: true, status: 'ACTIVE', egressId: EG } as const;
  const live = { egresses: { [EG]: 'live' } } as const;
  it.each([
    ['of one that writes segments', aRecording({ ...writing, upkeep: live }), known(progress)],
    ['not of one that writes none', aRecording({ ...writing, crashProof: false, upkeep: live }), null],
    ['not of one whose egress is over', aRecording({ ...writing, upkeep: { egresses: {} } }), null],
  ])('is the growth of segments: %s', async (_whose, row, expected) => {
    const scene = new CoreScene();
    scene.world.recorders.progress.set(EG, progress);
    const { segments } = await scene.answer(scene.use(GatherEvidence).remembered(NO_EVIDENCE, row));
    expect(segments.progress).toEqual(expected ?? { state: 'not-asked' });
  });

  it('does not overwrite the look at the segments that this run has made', async () => {
    const scene = new CoreScene();
    scene.world.recorders.progress.set(EG, progress);
    const made = { ...NO_EVIDENCE.segments, progress: known({ ...progress, newest: 9 }) };
    const row = aRecording({ ...writing, upkeep: live });
    const before = { ...NO_EVIDENCE, segments: made };
    const { segments } = await scene.answer(scene.use(GatherEvidence).remembered(before, row));
    expect(segments).toEqual(made);
  });
});

describe('what is gathered of a start that is on its way', () => {
  it('needs nothing of what ended within a day', async () => {
    const scene = new CoreScene();
    const list: LiveKit['listEgresses'] = async ({ roomName, active } = {}) => {
      if (roomName === undefined && active !== true) throw new Error('the whole list was read');
      return [];
    };
    scene.instead(LiveKit, 'listEgresses', list, 2);
    const row = aRecording({ upkeep: { startPendingUntil: scene.world.clock.now() + 35_000 } });
    expect((await scene.evidence({ ask: 'egresses' }, row)).looked).toEqual(known(true));
  });
});

describe('a look at what LiveKit lists of a recording', () => {
  it('asks by id for each egress that it named, whatever lists show', async () => {
    const { scene, row, egressId } = await active();
    scene.world.listsLookEmpty = true;
    const about = withUpkeep(row, { egresses: { [EG]: 'live', [egressId]: 'live', EG_old: 'over' } });
    const at = scene.world.clock.now();
    const seen = await scene.evidence({ ask: 'egresses' }, about);
    expect(seen.looked).toEqual(known(true));
    expect(seen.sighting).toMatchObject({ complete: true, at, egresses: [{ egressId, status: 'ACTIVE' }] });
    expect(seen.workers.get(egressId)?.listed).toMatchObject({ value: { egressId } });
    expect(seen.workers.get(EG)?.listed).toEqual(known(null));
    expect(seen.workers.has('EG_old')).toBe(false);
  });

  it('finds in the lists an egress that nobody has named, and none of another recording', async () => {
    const { scene, row, egressId } = await active();
    const unnamed = withUpkeep(row, { egresses: {} });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, unnamed))).toEqual([egressId]);
    const other = { ...unnamed, id: aRecording().id };
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, other))).toEqual([]);
    const named = withUpkeep(other, { startAnswer: 'unanswered', egresses: { [egressId]: 'live' } });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, named))).toEqual([egressId]);
  });

  it('goes by the lists where LiveKit never accepted the start, though an egress of it was seen', async () => {
    const { scene, row, egressId } = await active();
    const about = withUpkeep(row, { startAnswer: 'unanswered', egresses: { [EG]: 'live' } });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, about))).toEqual([egressId]);
  });

  it('goes through the whole list where the list of the room is empty', async () => {
    const { scene, row, egressId } = await active();
    scene.world.engine.setFault({ name: 'list-empty', room: 'talk' });
    const about = withUpkeep(row, { egresses: {} });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, about))).toEqual([egressId]);
  });

  it('goes through the ended egresses of other rooms only once nothing of the start is on its way', async () => {
    const { scene, row, egressId } = await active();
    await scene.answer(scene.use(StopRecording).execute(row.id, ADMIN));
    await scene.run(20_000);
    const now = scene.world.clock.now();
    const pending = withUpkeep(row, { egresses: {}, startPendingUntil: now + 60_000 });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, pending))).toEqual([egressId]);
    scene.world.engine.setFault({ name: 'list-empty', room: 'talk' });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, pending))).toEqual([]);
    const past = withUpkeep(row, { egresses: {}, startPendingUntil: now - 1 });
    expect(egressIds(await scene.evidence({ ask: 'egresses' }, past))).toEqual([egressId]);
  });

  it('is given up after the time that somebody waits for it', async () => {
    const { scene, row } = await active();
    expect(await scene.evidence({ ask: 'egresses', withinMs: 500 }, row)).toMatchObject({
      looked: known(true),
    });
    scene.world.engine.setFault({ name: 'silent', room: '*' });
    const seen = await scene.evidence({ ask: 'egresses', withinMs: 500 }, row);
    expect(seen).toMatchObject({ sighting: null, looked: UNAVAILABLE });
    expect(seen.looked).toMatchObject({ error: { message: 'LiveKit did not answer within 500 ms' } });
    expect(seen.workers.size).toBe(0);
  });

  it('throws what is no absence of LiveKit or of the bucket', async () => {
    const { scene, row } = await active();
    scene.instead(LiveKit, 'findEgress', async () => {
      throw new TallyError('REDIS_UNAVAILABLE', 'the store is away');
    });
    const asked = scene.use(GatherEvidence).answer(NO_EVIDENCE, row, { ask: 'egresses' });
    expect(await scene.refusal(asked)).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });
});

describe('one egress, asked for by its id,', () => {
  it('is news where LiveKit shows another status than the row has', async () => {
    const { scene, row, egressId } = await active();
    const at = scene.world.clock.now();
    const seen = await scene.evidence({ ask: 'egress', egressId }, { ...row, status: 'STARTING' });
    expect(seen.sighting).toMatchObject({ complete: false, at, egresses: [{ egressId, status: 'ACTIVE' }] });
    expect(seen.workers.get(egressId)?.listed).toMatchObject({ state: 'known', value: { egressId } });
  });

  it('is no news in the status that the row has', async () => {
    const { scene, row, egressId } = await active();
    const seen = await scene.evidence({ ask: 'egress', egressId }, row);
    expect(seen.sighting).toBeNull();
    expect(seen.workers.get(egressId)?.listed).toMatchObject({ value: { status: 'ACTIVE' } });
  });

  it('is always news once it has ended', async () => {
    const { scene, row, egressId } = await active();
    await scene.answer(scene.use(StopRecording).execute(row.id, ADMIN));
    await scene.run(20_000);
    const seen = await scene.evidence({ ask: 'egress', egressId }, scene.row(row.id));
    expect(seen.sighting?.egresses).toMatchObject([{ status: 'COMPLETE' }]);
  });

  it('is not seen where LiveKit does not list it or cannot be asked', async () => {
    const { scene, row } = await active();
    const gone = await scene.evidence({ ask: 'egress', egressId: EG }, row);
    expect(gone).toMatchObject({ sighting: null });
    expect(gone.workers.get(EG)?.listed).toEqual(known(null));
    scene.instead(LiveKit, 'findEgress', unavailable);
    const unseen = await scene.evidence({ ask: 'egress', egressId: EG }, row);
    expect(unseen).toMatchObject({ sighting: null });
    expect(unseen.workers.get(EG)?.listed).toMatchObject(UNAVAILABLE);
  });
});

describe('the question to a worker', () => {
  it('notes that the worker lives as of when it was asked', async () => {
    const { scene, row, egressId } = await active();
    const at = scene.world.clock.now();
    const { workers } = await scene.evidence({ ask: 'worker', egressId, listed: 'ACTIVE' }, row);
    const answer = known({ said: 'alive', askedAs: 'ACTIVE' });
    expect(workers.get(egressId)).toMatchObject({ heardAt: at, silentAt: [], answer });
    expect(scene.world.recorders.heard.get(egressId)).toBe(at);
  });

  it('notes a silence where nobody answers, also for an egress that LiveKit does not know', async () => {
    const { scene, row } = await active();
    const at = scene.world.clock.now();
    const { workers } = await scene.evidence({ ask: 'worker', egressId: EG, listed: 'ACTIVE' }, row);
    const answer = known({ said: 'silent', askedAs: 'ACTIVE' });
    expect(workers.get(EG)).toMatchObject({ heardAt: null, silentAt: [at], answer });
  });

  it('is put so that it can be answered while the egress ends', async () => {
    const { scene, row, egressId } = await active();
    scene.world.engine.setFault({ name: 'upload-slow', room: 'talk' });
    await scene.answer(scene.use(StopRecording).execute(row.id, ADMIN));
    await scene.run(1_000);
    const ending = await scene.evidence({ ask: 'worker', egressId, listed: 'ENDING' }, row);
    expect(ending.workers.get(egressId)?.answer).toMatchObject({ value: { said: 'alive' } });
    const asActive = await scene.evidence({ ask: 'worker', egressId, listed: 'ACTIVE' }, row);
    expect(asActive.workers.get(egressId)?.answer).toMatchObject({ value: { said: 'not-askable' } });
    const again = await scene.evidence({ ask: 'worker-again', egressId, listed: 'ENDING' }, row);
    expect(again.workers.get(egressId)?.confirmed).toEqual(known('alive'));
  });

  const listed = { ...UNKNOWN_WORKER, listed: known(anEgress(aRecording())) };
  const forgotten = { ...UNKNOWN_WORKER, listed: known(null) };
  it.each<[string, WorkerAnswer, Evidence['workers'], 'heard' | 'silent' | 'nothing']>([
    [
      'lives where it ends already and LiveKit has no record of it',
      'not-askable',
      new Map([[EG, forgotten]]),
      'heard',
    ],
    ['says nothing where LiveKit lists it as over', 'not-askable', new Map([[EG, listed]]), 'nothing'],
    [
      'says nothing where LiveKit was not asked for it',
      'not-askable',
      new Map([[EG, UNKNOWN_WORKER]]),
      'nothing',
    ],
    ['says nothing where nothing is known of it', 'not-askable', new Map(), 'nothing'],
    ['is silent where LiveKit has no record of it either', 'silent', new Map([[EG, forgotten]]), 'silent'],
  ])('tells: its worker %s', async (_what, said, workers, noted) => {
    const scene = new CoreScene();
    scene.instead(LiveKit, 'askWorker', async () => said);
    const question = { ask: 'worker', egressId: EG, listed: 'ACTIVE' } as const;
    const seen = await scene.evidence(question, aRecording(), { ...NO_EVIDENCE, workers });
    expect(seen.workers.get(EG)?.answer).toEqual(known({ said, askedAs: 'ACTIVE' }));
    const { heard, silent } = scene.world.recorders;
    const kept = heard.has(EG) ? 'heard' : silent.has(EG) ? 'silent' : 'nothing';
    expect(kept).toBe(noted);
    expect(seen.workers.get(EG)?.heardAt).toEqual(noted === 'heard' ? expect.any(Number) : null);
    expect(seen.workers.get(EG)?.listed).toEqual((workers.get(EG) ?? UNKNOWN_WORKER).listed);
  });

  it('notes nothing where LiveKit cannot be asked', async () => {
    const scene = new CoreScene();
    scene.instead(LiveKit, 'askWorker', unavailable);
    const { workers } = await scene.evidence({ ask: 'worker', egressId: EG, listed: 'ACTIVE' }, aRecording());
    expect(workers.get(EG)).toMatchObject({ heardAt: null, silentAt: [], answer: UNAVAILABLE });
    expect(scene.world.recorders.silent.has(EG)).toBe(false);
  });
});

describe('the question to a worker, asked once more,', () => {
  it('counts no silence, and tells that the worker lives after all', async () => {
    const { scene, row, egressId } = await active();
    const silent = await scene.evidence({ ask: 'worker-again', egressId: EG, listed: null }, row);
    expect(silent.workers.get(EG)).toMatchObject({ heardAt: null, silentAt: [], confirmed: known('silent') });
    expect(scene.world.recorders.silent.has(EG)).toBe(false);
    const alive = await scene.evidence({ ask: 'worker-again', egressId, listed: 'ACTIVE' }, row);
    expect(alive.workers.get(egressId)).toMatchObject({ confirmed: known('alive') });
    expect(scene.world.recorders.heard.get(egressId)).toBe(alive.workers.get(egressId)?.heardAt);
  });

  it('says nothing of a worker whose egress LiveKit lists otherwise by now', async () => {
    const { scene, row, egressId } = await active();
    const seen = await scene.evidence({ ask: 'worker-again', egressId, listed: 'STARTING' }, row);
    expect(seen.workers.get(egressId)?.confirmed).toEqual(known('not-askable'));
    const gone = await scene.evidence({ ask: 'worker-again', egressId: EG, listed: 'ACTIVE' }, row);
    expect(gone.workers.get(EG)?.confirmed).toEqual(known('not-askable'));
  });

  it.each(['findEgress', 'askWorker'] as const)('is not answered where %s is unavailable', async (what) => {
    const { scene, row, egressId } = await active();
    scene.instead(LiveKit, what, unavailable);
    const { workers } = await scene.evidence({ ask: 'worker-again', egressId, listed: 'ACTIVE' }, row);
    expect(workers.get(egressId)).toMatchObject({ heardAt: null, confirmed: UNAVAILABLE });
  });
});
