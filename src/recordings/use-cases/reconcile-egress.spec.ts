import { toEgressSeen } from '../../livekit/livekit.mapping.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { metadataKey } from '../../storage/object-keys.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import type { StoredRecording } from '../domain/recording.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { ReconcileEgress } from './reconcile-egress.js';

const LOST_AFTER_MS = 20_000;

interface Shown {
  readonly recording: StoredRecording;
  readonly egress: EgressSeen;
}

/** A recording that is active, and its egress as LiveKit shows it. */
async function active(scene: CoreScene): Promise<Shown> {
  const { id } = await scene.recorded();
  await scene.run(5_000);
  const recording = scene.row(id);
  return { recording, egress: toEgressSeen(scene.world.engine.egress(recording.egressId!)!) };
}

/** Redis has forgotten it; `record`: and the bucket has its record. */
async function forgotten(scene: CoreScene, { record }: { readonly record: boolean }): Promise<Shown> {
  const shown = await active(scene);
  const { id, roomId } = shown.recording;
  const { recordings, bucket } = scene.world;
  recordings.rows.delete(id);
  recordings.slots.delete(roomId);
  expect(bucket.get(metadataKey(shown.recording))).toBeDefined();
  if (!record) bucket.delete(metadataKey(shown.recording));
  return shown;
}

function judge(scene: CoreScene, egress: EgressSeen): Promise<string> {
  return scene.answer(scene.use(ReconcileEgress).execute(egress));
}

function statusOf(scene: CoreScene, { egressId }: EgressSeen): string {
  return toEgressSeen(scene.world.engine.egress(egressId)!).status;
}

/** Its worker gives no answer to a stop, and has given none for long. */
async function silent(scene: CoreScene, { egressId }: EgressSeen): Promise<void> {
  const now = scene.world.clock.now();
  const log = scene.use(RecorderLog);
  await scene.answer(log.forget(egressId));
  for (const agoMs of [LOST_AFTER_MS + 1_000, LOST_AFTER_MS / 2])
    await scene.answer(log.silent(egressId, now - agoMs));
}

function stop(scene: CoreScene, { recording, egress }: Shown): Promise<void> {
  return scene.answer(scene.use(ReconcileEgress).stop(recording.id, egress, 'a test'));
}

function isDead(scene: CoreScene, { egressId }: EgressSeen): Promise<boolean> {
  return scene.answer(scene.use(RecorderLog).isDead(egressId));
}

describe('an egress that LiveKit shows', () => {
  it('is left alone where it is none of ours', async () => {
    const scene = new CoreScene();
    const { egress } = await active(scene);
    expect(await judge(scene, { ...egress, filepath: 'daily.mp4' })).toBe('not-ours');
    expect(statusOf(scene, egress)).toBe('ACTIVE');
  });

  it('with a recording tells what that is', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await active(scene);
    expect(await judge(scene, { ...egress, status: 'ENDING' })).toBe('observed');
    expect(scene.row(recording.id).status).toBe('ENDING');
  });

  it('brings its recording back from the record in the bucket, and records on', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: true });
    expect(await judge(scene, egress)).toBe('restored');
    const { id, egressId } = recording;
    expect(scene.row(id)).toMatchObject({ id, egressId, status: 'ACTIVE' });
    expect(scene.world.recordings.slots.get('talk')?.recording).toBe(id);
    expect(statusOf(scene, egress)).toBe('ACTIVE');
  });

  it('is taken over as it is by then where its recording comes back', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: true });
    expect(await judge(scene, { ...egress, status: 'ENDING' })).toBe('restored');
    expect(scene.row(recording.id).status).toBe('ENDING');
  });

  it('is stopped where its recording comes back and another has its room', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: true });
    const other = await scene.start({ waitForActive: false });
    expect(await judge(scene, egress)).toBe('restored');
    expect(scene.row(recording.id).status).toBe('ENDING');
    expect(statusOf(scene, egress)).not.toBe('ACTIVE');
    expect(scene.world.recordings.slots.get('talk')?.recording).toBe(other.id);
  });

  it('is suspect, and runs on, where nothing explains it', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: false });
    expect(await judge(scene, egress)).toBe('suspect');
    expect(scene.world.row(recording.id)).toBeNull();
    expect(statusOf(scene, egress)).toBe('ACTIVE');
  });

  it('is stopped where its recording was deleted', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: true });
    scene.world.recordings.deleted.set(recording.id, scene.world.clock.now());
    expect(await scene.answer(scene.use(ReconcileEgress).foresee(recording.id, egress))).toMatchObject({
      do: 'stop',
    });
    expect(statusOf(scene, egress)).toBe('ACTIVE');
    expect(await judge(scene, egress)).toBe('stopped');
    expect(statusOf(scene, egress)).toBe('ENDING');
    expect(scene.world.row(recording.id)).toBeNull();
  });

  it('is left alone where its worker is known as dead, though its recording was deleted', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: true });
    scene.world.recordings.deleted.set(recording.id, scene.world.clock.now());
    await scene.answer(scene.use(RecorderLog).markDead(egress.egressId, scene.world.clock.now()));
    const foreseen = await scene.answer(scene.use(ReconcileEgress).foresee(recording.id, egress));
    expect(foreseen).toEqual({ do: 'settled' });
    expect(await judge(scene, egress)).toBe('settled');
    expect(statusOf(scene, egress)).toBe('ACTIVE');
  });

  it('is foreseen to bring its recording back, which is not done', async () => {
    const scene = new CoreScene();
    const { recording, egress } = await forgotten(scene, { record: true });
    const foreseen = await scene.answer(scene.use(ReconcileEgress).foresee(recording.id, egress));
    expect(foreseen).toEqual({ do: 'restore' });
    expect(scene.world.row(recording.id)).toBeNull();
  });
});

describe('an egress without a recording that is stopped', () => {
  const noAnswer = async () => ({ kind: 'no-answer-from-worker' }) as const;

  it('has a silence of its worker noted where that gave no answer', async () => {
    const scene = new CoreScene();
    const shown = await forgotten(scene, { record: false });
    const { egressId } = shown.egress;
    const at = scene.world.clock.now();
    scene.instead(LiveKit, 'stopEgress', noAnswer, 2);
    await stop(scene, shown);
    const state = await scene.answer(scene.use(RecorderLog).state(egressId));
    expect(state.silentAt).toEqual([at]);
    expect(await isDead(scene, shown.egress)).toBe(false);
  });

  it('has no silence noted where its worker took the stop', async () => {
    const scene = new CoreScene();
    const shown = await forgotten(scene, { record: false });
    await silent(scene, shown.egress);
    await stop(scene, shown);
    const state = await scene.answer(scene.use(RecorderLog).state(shown.egress.egressId));
    expect(state.silentAt).toHaveLength(2);
    expect(await isDead(scene, shown.egress)).toBe(false);
  });

  it.each([
    ['another worker answers a question', false, true],
    ['another egress was heard of since', true, false],
  ])('is known as dead after long silence where %s', async (_, heard, there) => {
    const scene = new CoreScene();
    const shown = await forgotten(scene, { record: false });
    await silent(scene, shown.egress);
    scene.instead(LiveKit, 'stopEgress', noAnswer, 2);
    scene.instead(FleetProbe, 'isThere', async () => there);
    if (heard) await scene.answer(scene.use(RecorderLog).heard('EG_other', scene.world.clock.now() + 1_000));
    await stop(scene, shown);
    expect(await isDead(scene, shown.egress)).toBe(true);
  });

  it('is not known as dead where nobody else answers either', async () => {
    const scene = new CoreScene();
    const shown = await forgotten(scene, { record: false });
    await silent(scene, shown.egress);
    scene.instead(LiveKit, 'stopEgress', noAnswer, 2);
    scene.instead(FleetProbe, 'isThere', async () => false);
    await stop(scene, shown);
    expect(await isDead(scene, shown.egress)).toBe(false);
  });

  it('is not known as dead where its worker answers once others do', async () => {
    const scene = new CoreScene();
    const shown = await forgotten(scene, { record: false });
    await silent(scene, shown.egress);
    scene.instead(LiveKit, 'stopEgress', noAnswer);
    scene.instead(FleetProbe, 'isThere', async () => true);
    await stop(scene, shown);
    expect(await isDead(scene, shown.egress)).toBe(false);
  });
});
