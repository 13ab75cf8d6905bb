import { TallyError } from '../../kernel/errors.js';
import { Incidents } from '../../incidents/incidents.port.js';
import { toEgressSeen } from '../../livekit/livekit.mapping.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { mediaKey } from '../../storage/object-keys.js';
import { aRecordingId } from '../../../test/support/builders.js';
import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import type { RoomEvidence } from '../domain/evidence.js';
import { known } from '../domain/evidence.js';
import type { StoredRecording } from '../domain/recording.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { DeleteRecording } from './delete-recording.js';
import { GatherEvidence } from './gather-evidence.js';
import { LaunchEgress } from './launch-egress.js';
import { ReconcileRecording } from './reconcile-recording.js';
import { StartContinuation } from './start-continuation.js';
import { StopRecording } from './stop-recording.js';

const CHECK_EVERY_MS = 20_000;
const ALWAYS = 100_000;
const CLOSED = { room: known<RoomEvidence>({ open: false }) };
const away = (): Promise<never> =>
  Promise.reject(new TallyError('LIVEKIT_UNAVAILABLE', 'LiveKit does not answer'));

async function complete(scene: CoreScene): Promise<StoredRecording> {
  const { id } = await scene.recorded();
  await scene.answer(scene.use(StopRecording).execute(id, ADMIN));
  await scene.run(30_000);
  expect(scene.row(id).status).toBe('COMPLETE');
  return scene.row(id);
}

/** Its egress as LiveKit has it now. */
function shown(scene: CoreScene, { egressId }: StoredRecording): EgressSeen {
  return toEgressSeen(scene.world.engine.egress(egressId!)!);
}

function judge(scene: CoreScene, id: StoredRecording['id']): Promise<number | null> {
  return scene.answer(scene.use(ReconcileRecording).execute(id));
}

/** Whoever asked for its deletion died before anything of it was done. */
function abandonDeletion(scene: CoreScene, id: StoredRecording['id']): void {
  const requestedAt = scene.world.clock.now() - 60_000;
  const row = scene.row(id);
  scene.put({ ...row, upkeep: { ...row.upkeep, deletion: { requestedAt, by: 'admin' } } });
}

/** It has reported nothing since, and no answer of its worker is remembered. */
async function longSilent(scene: CoreScene, { id, egressId }: StoredRecording): Promise<void> {
  scene.put({ ...scene.row(id), updatedAt: 0 });
  await scene.answer(scene.use(RecorderLog).forget(egressId!));
}

describe('a recording that is judged', () => {
  it('has its next turn no later than its worker is asked again', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const ms = await judge(scene, id);
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThanOrEqual(CHECK_EVERY_MS);
  });

  it('has no next turn once all of it is over, and its worker is forgotten', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await complete(scene);
    await scene.answer(scene.use(RecorderLog).heard(egressId!, scene.world.clock.now()));
    expect(await judge(scene, id)).toBeNull();
    expect(await scene.answer(scene.use(RecorderLog).state(egressId!))).toMatchObject({ heardAt: null });
  });

  it('leaves no incident open where it is gone', async () => {
    const scene = new CoreScene();
    const id = aRecordingId();
    await scene.use(Incidents).open('recorder_stalled', id, 'no media comes');
    expect(await judge(scene, id)).toBeNull();
    expect(await scene.use(Incidents).openKinds()).toEqual([]);
  });

  it('is started by somebody else where whoever stored it died', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(LaunchEgress, 'execute', async () => undefined);
    const { id } = await scene.start({ waitForActive: false });
    await scene.run(15_000);
    expect(scene.row(id).status).toBe('ACTIVE');
  });

  it('fails where its egress is listed and does not become active in time', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.setFault({ name: 'start-never-active', room: 'talk' });
    const { id } = await scene.start({ waitForActive: false });
    await scene.run(60_000);
    expect(scene.row(id)).toMatchObject({ status: 'FAILED', endReason: 'START_TIMEOUT' });
    const history = await scene.answer(scene.use(RecordingStore).history(id));
    expect(history.map(({ cause }) => cause)).toContain('timeout');
  });

  it('is deleted by somebody else where whoever was asked to died', async () => {
    const scene = new CoreScene();
    const recording = await complete(scene);
    const { id } = recording;
    abandonDeletion(scene, id);
    expect(scene.world.bucket.get(mediaKey(recording))).toBeDefined();
    expect(await judge(scene, id)).toBeNull();
    expect(scene.world.row(id)).toBeNull();
    expect(scene.world.bucket.get(mediaKey(recording))).toBeUndefined();
  });

  it('is deleted later, and tried once now, while the bucket is away', async () => {
    const scene = new CoreScene();
    const { id } = await complete(scene);
    abandonDeletion(scene, id);
    let tries = 0;
    const fail = (): Promise<never> => {
      tries += 1;
      return Promise.reject(new TallyError('STORAGE_UNAVAILABLE', 'the bucket is away'));
    };
    scene.instead(DeleteRecording, 'carryOut', fail, ALWAYS);
    expect(await judge(scene, id)).toBeGreaterThan(0);
    expect(tries).toBe(1);
  });

  it.each([
    ['LIVEKIT_UNAVAILABLE', 'nothing', null],
    ['REDIS_UNAVAILABLE', 'so', 'REDIS_UNAVAILABLE'],
  ] as const)('that can not go on for %s now tells its caller %s', async (code, _what, told) => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    const fail = (): Promise<never> => Promise.reject(new TallyError(code, 'it does not answer'));
    scene.instead(StartContinuation, 'execute', fail, ALWAYS);
    scene.world.engine.endEgress(egressId!, 'child-crash');
    await scene.run(20_000);
    expect(scene.row(id).upkeep.continuation).toBe('pending');
    if (told === null) expect(await judge(scene, id)).toBeGreaterThan(0);
    else expect(await scene.refusal(scene.use(ReconcileRecording).execute(id))).toMatchObject({ code: told });
  });

  it('is left for later where it is judged in circles', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    scene.instead(GatherEvidence, 'answer', async (evidence) => evidence, ALWAYS);
    expect(await scene.answer(scene.use(ReconcileRecording).look(id))).toEqual(scene.row(id));
  });

  it('whose pipeline stands still is an incident until another recording goes on, and its egress is known as dead', async () => {
    const scene = new CoreScene();
    scene.world.engine.setFault({ name: 'pipeline-wedged', room: 'talk', times: 1, delayMs: 15_000 });
    const { id, egressId } = await scene.recorded({}, { crashProof: true });
    const told = new Set<string>();
    scene.instead(StartContinuation, 'execute', async () => undefined, 3);
    for (let second = 0; second < 180; second += 1) {
      await scene.run(1_000);
      if (scene.row(id).upkeep.continuation === 'pending')
        told.add((await scene.use(Incidents).openKinds()).join());
    }
    expect(scene.row(id).upkeep.stalledSince).toBeDefined();
    expect([...told]).toEqual(['recorder_stalled']);
    expect(scene.row(id).continuedBy).not.toBeNull();
    expect(await scene.use(Incidents).openKinds()).toEqual([]);
    expect(await scene.answer(scene.use(RecorderLog).isDead(egressId!))).toBe(true);
  });

  it('whose worker died is no incident, and no answer of that worker is remembered', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    scene.instead(StartContinuation, 'execute', async () => undefined, ALWAYS);
    scene.world.engine.killWorker();
    scene.world.engine.addWorker();
    await scene.run(90_000);
    expect(scene.row(id)).toMatchObject({ endReason: 'RECORDER_LOST', upkeep: { continuation: 'pending' } });
    expect(await scene.use(Incidents).openKinds()).toEqual([]);
    const state = await scene.answer(scene.use(RecorderLog).state(egressId!));
    expect(state).toMatchObject({ heardAt: null, silentAt: [] });
  });
});

describe('a look at a recording', () => {
  it('tells what it is by then', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    expect(await scene.answer(scene.use(ReconcileRecording).look(id))).toMatchObject({
      id,
      status: 'ACTIVE',
    });
  });

  it('finds none where it is gone', async () => {
    const scene = new CoreScene();
    expect(await scene.answer(scene.use(ReconcileRecording).look(aRecordingId()))).toBeNull();
  });

  it('is refused where LiveKit does not answer', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    scene.instead(LiveKit, 'findEgress', away);
    const { code } = await scene.refusal(scene.use(ReconcileRecording).look(id));
    expect(code).toBe('LIVEKIT_UNAVAILABLE');
  });
});

describe('what LiveKit showed', () => {
  it('of one egress is taken over once, with the cause of whoever saw it', async () => {
    const scene = new CoreScene();
    const recording = await scene.recorded();
    const { id, egressId } = recording;
    await scene.answer(scene.use(RecorderLog).heard(egressId!, scene.world.clock.now()));
    const ending = { ...shown(scene, recording), status: 'ENDING' as const };
    const reconcile = scene.use(ReconcileRecording);
    const applied = await scene.answer(reconcile.observe(id, ending, 'sweep'));
    expect(applied).toMatchObject({ changed: true, recording: { status: 'ENDING' } });
    expect(applied?.position).not.toBeNull();
    expect(await scene.answer(reconcile.observe(id, ending, 'sweep'))).toMatchObject({ changed: false });
    const history = await scene.answer(scene.use(RecordingStore).history(id));
    expect(history.find(({ version }) => version === applied?.recording.version)?.cause).toBe('sweep');
    const { heardAt } = await scene.answer(scene.use(RecorderLog).state(egressId!));
    expect(heardAt).not.toBeNull();
  });

  it('of one egress says nothing of another', async () => {
    const scene = new CoreScene();
    const recording = await scene.recorded();
    const { id, egressId } = recording;
    await scene.answer(scene.use(RecorderLog).silent(egressId!, scene.world.clock.now()));
    const other = { ...shown(scene, recording), egressId: 'EG_other' };
    await scene.answer(scene.use(ReconcileRecording).observe(id, other, 'livekit'));
    expect(scene.row(id).upkeep.absence).toBeNull();
  });

  it.each([
    ['was silent is missing', true],
    ['has not been silent is not missing', false],
  ])('as a whole: an egress that is not in it and %s', async (_, silent) => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    const at = scene.world.clock.now();
    if (silent) await scene.answer(scene.use(RecorderLog).silent(egressId!, at));
    await scene.answer(scene.use(ReconcileRecording).observeAll(id, [], at, 'livekit'));
    expect(scene.row(id).upkeep.absence !== null).toBe(silent);
  });

  it('of a recording that was deleted just then is nothing', async () => {
    const scene = new CoreScene();
    const recording = await scene.recorded();
    const ending = { ...shown(scene, recording), status: 'ENDING' as const };
    scene.instead(RecordingWriter, 'apply', async () => null);
    const { id } = recording;
    expect(await scene.answer(scene.use(ReconcileRecording).observe(id, ending, 'livekit'))).toBeNull();
  });

  it('of those that are active is completed by the ended ones that the row takes for active', async () => {
    const scene = new CoreScene();
    const recording = await scene.recorded();
    const reconcile = scene.use(ReconcileRecording);
    const own = shown(scene, recording);
    const other = { ...own, egressId: 'EG_other' };
    const ids = async (listed: EgressSeen[]): Promise<string[]> =>
      (await scene.answer(reconcile.withEnded(recording, listed))).map(({ egressId }) => egressId);
    expect(await ids([])).toEqual([own.egressId]);
    expect(await ids([other])).toEqual(['EG_other', own.egressId]);
    expect(await ids([other, own])).toEqual(['EG_other', own.egressId]);
  });

  it('is foreseen without a change', async () => {
    const scene = new CoreScene();
    const recording = await scene.recorded();
    const fact = { kind: 'duration-limit-passed', at: scene.world.clock.now() } as const;
    const reconcile = scene.use(ReconcileRecording);
    const foreseen = reconcile.foresee(recording, fact);
    expect(foreseen.status).toBe('ENDING');
    expect(reconcile.foresee(foreseen, fact)).toEqual(foreseen);
    expect(scene.row(recording.id)).toEqual(recording);
  });
});

describe('a recording whose egress LiveKit has forgotten, by its answer to a stop,', () => {
  it('is as it was while its worker answers', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    scene.world.engine.dropEgress(egressId!);
    const told = await scene.answer(scene.use(ReconcileRecording).stopNotFound(id));
    expect(told).toMatchObject({ id, status: 'ACTIVE' });
  });

  it('is over where another worker answers and its own does not', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    scene.world.engine.dropEgress(egressId!);
    scene.world.engine.killWorker();
    scene.world.engine.addWorker();
    const told = await scene.answer(scene.use(ReconcileRecording).stopNotFound(id));
    expect(told?.endedAt).not.toBeNull();
    expect(scene.row(id).status).toBe(told?.status);
  });

  it('is nothing where it is gone', async () => {
    const scene = new CoreScene();
    expect(await scene.answer(scene.use(ReconcileRecording).stopNotFound(aRecordingId()))).toBeNull();
  });
});

describe('a recording in a closed room that has long reported nothing', () => {
  it('is ended as stale once no answer of its worker is known either', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const reconcile = scene.use(ReconcileRecording);
    const isHeld = (): Promise<boolean> =>
      scene.answer(reconcile.isHeldEnd('STALE_RECORDING', { ...scene.row(id), updatedAt: 0 }, CLOSED));
    await scene.run(CHECK_EVERY_MS * 2);
    expect(await isHeld()).toBe(false);
    await longSilent(scene, scene.row(id));
    expect(await isHeld()).toBe(true);
    const ended = await scene.answer(reconcile.carryOut(id, 'STALE_RECORDING', CLOSED, 'sweep'));
    expect(ended).toBe(true);
    expect(scene.row(id).endReason).toBe('STALE');
  });

  it('is not ended while its worker answers, and neither is one that is gone', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const end = (of: StoredRecording['id']): Promise<boolean> =>
      scene.answer(scene.use(ReconcileRecording).carryOut(of, 'STALE_RECORDING', CLOSED, 'sweep'));
    expect(await end(id)).toBe(false);
    expect(await end(aRecordingId())).toBe(false);
    expect(scene.row(id).status).toBe('ACTIVE');
  });
});
