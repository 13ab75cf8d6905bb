import { TallyError } from '../../kernel/errors.js';
import { aRecordingId } from '../../../test/support/builders.js';
import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import type { StoredRecording } from '../domain/recording.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { StartContinuation } from './start-continuation.js';
import { StopRecording } from './stop-recording.js';

const LONG_MS = 20_000;
/** The product itself asks as often as it likes meanwhile. */
const ALWAYS = 100_000;

/** A recording that ended by itself and waits, by the product's own judgement, for a worker that can go on. */
async function waiting(scene: CoreScene): Promise<StoredRecording> {
  await scene.meeting();
  const { id } = await scene.start({ labels: { course: 'physics' } });
  scene.instead(FleetProbe, 'isThereNow', async () => false, ALWAYS);
  scene.world.engine.endEgress(scene.row(id).egressId!, 'child-crash');
  await scene.run(LONG_MS);
  const row = scene.row(id);
  expect(row).toMatchObject({ status: 'FAILED', continuedBy: null, upkeep: { continuation: 'pending' } });
  return row;
}

/** A worker has a place, and before that is known, `meanwhile` happens. */
async function tryContinuation(
  scene: CoreScene,
  lost: StoredRecording,
  meanwhile?: () => unknown,
): Promise<void> {
  scene.instead(FleetProbe, 'isThereNow', async () => {
    await meanwhile?.();
    return true;
  });
  await scene.answer(scene.use(StartContinuation).execute(lost));
}

function others(scene: CoreScene, lost: StoredRecording): StoredRecording[] {
  return scene.world.rows().filter(({ id }) => id !== lost.id);
}

describe('a recording that goes on from one that ended by itself', () => {
  it('records the same session with the same options, and each names the other', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    await tryContinuation(scene, lost);
    await scene.run(LONG_MS);
    const [next] = others(scene, lost);
    const { roomId, roomSid, audioOnly, labels, layout } = lost;
    expect(next).toMatchObject({ roomId, roomSid, audioOnly, labels, layout });
    expect(next).toMatchObject({ status: 'ACTIVE', continues: lost.id });
    expect(scene.row(lost.id)).toMatchObject({ continuedBy: next?.id, upkeep: { continuation: null } });
    expect(scene.world.engine.runningEgressIds()).toEqual([next?.egressId]);
  });

  it('is asked of LiveKit at once', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    const sent: string[] = [];
    scene.world.startsSent.push((id) => sent.push(id));
    await tryContinuation(scene, lost);
    expect(sent).toEqual(others(scene, lost).map(({ id }) => id));
    expect(sent).toHaveLength(1);
  });

  it('waits while no worker has a place', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    await scene.answer(scene.use(StartContinuation).execute(lost));
    await scene.run(LONG_MS);
    expect(others(scene, lost)).toEqual([]);
    expect(scene.row(lost.id).upkeep.continuation).toBe('pending');
  });

  it('is not started where the first was stopped while a worker was asked for', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    await tryContinuation(scene, lost, () => scene.use(StopRecording).execute(lost.id, ADMIN));
    await scene.run(LONG_MS);
    expect(others(scene, lost)).toEqual([]);
    expect(scene.row(lost.id).upkeep.continuation).not.toBe('pending');
  });

  it('is not started for a recording that is gone', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    await tryContinuation(scene, { ...lost, id: aRecordingId() });
    expect(others(scene, lost)).toEqual([]);
  });

  it.each([
    ['closed', false],
    ['given to another meeting', true],
  ])('is not started in a room that was %s while a worker was asked for', async (_, reopened) => {
    const scene = new CoreScene();
    const { engine } = scene.world;
    const lost = await waiting(scene);
    await tryContinuation(scene, lost, () => {
      engine.closeRoom('talk');
      if (!reopened) return;
      engine.join('talk', 'bob');
      engine.publish('talk', 'bob');
    });
    expect(others(scene, lost)).toEqual([]);
  });

  it('is started once, whoever dies between its two commits', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    scene.instead(FleetProbe, 'isThereNow', async () => true);
    scene.instead(RecordingWriter, 'apply', async () => {
      throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer');
    });
    const refused = await scene.refusal(scene.use(StartContinuation).execute(lost));
    expect(refused.code).toBe('REDIS_UNAVAILABLE');
    expect(scene.row(lost.id).continuedBy).toBeNull();
    await tryContinuation(scene, lost);
    const [next, ...more] = others(scene, lost);
    expect(more).toEqual([]);
    expect(scene.row(lost.id)).toMatchObject({ continuedBy: next?.id, upkeep: { continuation: null } });
  });

  it('is given up where somebody else records the room by then', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    await tryContinuation(scene, lost, () => scene.starting({ waitForActive: false }));
    expect(others(scene, lost)).toMatchObject([{ continues: null }]);
    expect(scene.row(lost.id)).toMatchObject({ continuedBy: null, upkeep: { continuation: null } });
  });

  it('waits while an egress of the first holds the room', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    const since = scene.world.clock.now();
    scene.world.recordings.slots.set('talk', { recording: lost.id, since });
    await tryContinuation(scene, lost);
    expect(others(scene, lost)).toEqual([]);
    expect(scene.row(lost.id).upkeep.continuation).toBe('pending');
  });

  it('is tried again where Redis went on in between', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    scene.instead(RecordingStore, 'commit', async () => ({ kind: 'moved-on' }));
    await tryContinuation(scene, lost);
    expect(others(scene, lost)).toEqual([]);
    expect(scene.row(lost.id).upkeep.continuation).toBe('pending');
  });

  it('is given up where its room was deleted', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    await tryContinuation(scene, lost, () => scene.world.rooms.rooms.delete('talk'));
    expect(others(scene, lost)).toEqual([]);
    expect(scene.row(lost.id).upkeep.continuation).toBeNull();
  });

  it('is cancelled where the first was stopped just as it was stored', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    const writer = scene.use(RecordingWriter);
    scene.instead(RecordingWriter, 'apply', async (id, fact, cause) => {
      await writer.apply(id, { kind: 'stop-requested', at: fact.at }, 'admin');
      return writer.apply(id, fact, cause);
    });
    await tryContinuation(scene, lost);
    await scene.run(LONG_MS);
    expect(others(scene, lost)).toMatchObject([{ status: 'ABORTED', endReason: 'START_CANCELLED' }]);
    expect(scene.world.engine.runningEgressIds()).toEqual([]);
  });

  it('goes on where the first was deleted just as it was stored', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    scene.instead(RecordingWriter, 'apply', async () => null);
    await tryContinuation(scene, lost);
    await scene.run(LONG_MS);
    expect(others(scene, lost)).toMatchObject([{ status: 'ACTIVE' }]);
  });

  it('has its turn later where eight wait for a worker already', async () => {
    const scene = new CoreScene();
    const lost = await waiting(scene);
    const continuation = scene.use(StartContinuation);
    let asked = (): void => undefined;
    const answer = new Promise<boolean>((resolve) => {
      asked = () => resolve(false);
    });
    scene.instead(FleetProbe, 'isThereNow', () => answer);
    const all = Array.from({ length: 9 }, () => continuation.execute(lost));
    await scene.run(10);
    await scene.answer(continuation.execute(lost));
    asked();
    await scene.answer(Promise.all(all));
    expect(others(scene, lost)).toEqual([]);
  });
});
