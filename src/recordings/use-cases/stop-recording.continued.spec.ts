import { CoreScene } from '../../../test/support/core-scene.js';
import type { StoredRecording } from '../domain/recording.js';
import { EffectDispatcher } from '../write/effect-dispatcher.port.js';

/** Its recorder crashed; what goes on from it is started at once, or awaits a worker. */
async function crashed(scene: CoreScene, { withWorker }: { withWorker: boolean }): Promise<StoredRecording> {
  const first = await scene.recorded();
  await crash(scene, first, withWorker);
  return scene.row(first.id);
}

async function crash(scene: CoreScene, { id, egressId }: StoredRecording, withWorker: boolean) {
  const { engine } = scene.world;
  engine.endEgress(egressId!, 'child-crash');
  if (!withWorker) engine.killWorker();
  await scene.run(withWorker ? 5_000 : 1_000);
  return scene.row(id);
}

describe('a stop of a recording whose meeting goes on', () => {
  it('ends the meeting that awaits its next recording, whoever comes later', async () => {
    const scene = new CoreScene();
    const first = await crashed(scene, { withWorker: false });
    expect(first).toMatchObject({ status: 'FAILED', upkeep: { continuation: 'pending' } });
    const stopped = await scene.stop(first.id);
    expect(stopped).toMatchObject({ id: first.id, upkeep: { continuation: null } });
    expect(stopped.upkeep.stopRequestedAt).not.toBeNull();
    scene.world.engine.addWorker();
    await scene.run(60_000);
    expect(scene.world.rows()).toHaveLength(1);
    expect(scene.world.engine.runningEgressIds()).toEqual([]);
  });

  it('ends the meeting also where a later recording of it awaits the next', async () => {
    const scene = new CoreScene();
    const first = await crashed(scene, { withWorker: true });
    const second = scene.row(first.continuedBy!);
    expect(await crash(scene, second, false)).toMatchObject({ upkeep: { continuation: 'pending' } });
    expect(await scene.stop(first.id)).toMatchObject({ id: first.id, continuedBy: second.id });
    expect(scene.row(second.id)).toMatchObject({ upkeep: { continuation: null } });
  });

  it('is told as taken also where Redis loses the row of the one that was stopped', async () => {
    const scene = new CoreScene();
    const first = await crashed(scene, { withWorker: false });
    scene.instead(EffectDispatcher, 'dispatch', async () => scene.forget(first));
    expect((await scene.stop(first.id)).id).toBe(first.id);
  });

  it('cancels the next recording while it starts', async () => {
    const scene = new CoreScene();
    const first = await scene.recorded();
    scene.world.engine.setFault({ name: 'start-never-active', room: 'talk' });
    await crash(scene, first, true);
    const { id, continuedBy } = scene.row(first.id);
    expect(scene.row(continuedBy!).status).toBe('STARTING');
    expect(await scene.stop(id)).toMatchObject({ id, status: 'FAILED' });
    expect(scene.row(continuedBy!)).toMatchObject({ endReason: 'START_CANCELLED' });
    await scene.run(60_000);
    expect(scene.world.rows()).toHaveLength(2);
    expect(scene.world.engine.runningEgressIds()).toEqual([]);
  });

  it('cancels the next one also where Redis loses the row of the one that was stopped', async () => {
    const scene = new CoreScene();
    const first = await scene.recorded();
    scene.world.engine.setFault({ name: 'start-never-active', room: 'talk' });
    await crash(scene, first, true);
    scene.instead(EffectDispatcher, 'dispatch', async () => scene.forget(first));
    expect((await scene.stop(first.id)).id).toBe(first.id);
  });

  it('is refused once the next one is active, which goes on', async () => {
    const scene = new CoreScene();
    const { id, continuedBy } = await crashed(scene, { withWorker: true });
    expect(scene.row(continuedBy!).status).toBe('ACTIVE');
    expect(await scene.refusal(scene.stop(id))).toMatchObject({
      code: 'RECORDING_ALREADY_STOPPED',
      subject: { recordingId: id },
    });
    expect(scene.row(continuedBy!)).toMatchObject({ status: 'ACTIVE', upkeep: { stopRequestedAt: null } });
  });

  it('is refused where the next one is gone', async () => {
    const scene = new CoreScene();
    const { id, continuedBy } = await crashed(scene, { withWorker: true });
    scene.forget(scene.row(continuedBy!));
    expect(await scene.refusal(scene.stop(id))).toMatchObject({ code: 'RECORDING_ALREADY_STOPPED' });
  });

  it('does not follow a chain that comes back to itself for ever', async () => {
    const scene = new CoreScene();
    const { id } = await crashed(scene, { withWorker: true });
    scene.put({ ...scene.row(id), continuedBy: id });
    expect(await scene.refusal(scene.stop(id))).toMatchObject({ code: 'RECORDING_ALREADY_STOPPED' });
  });
});
