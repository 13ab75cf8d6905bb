import { TallyError } from '../../kernel/errors.js';
import { toEgressSeen } from '../../livekit/livekit.mapping.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import type { StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { EffectDispatcher } from '../write/effect-dispatcher.port.js';
import { ReconcileRecording } from './reconcile-recording.js';

/** An attempt whose egress is active, which LiveKit has not told. */
async function untold(scene: CoreScene): Promise<StoredRecording> {
  await scene.meeting();
  const { engine } = scene.world;
  engine.setReceiver(null);
  scene.instead(EffectDispatcher, 'dispatch', async () => undefined, 20);
  const { id } = await scene.start({ waitForActive: false });
  while (engine.egresses('talk').map(toEgressSeen)[0]?.status !== 'ACTIVE') await scene.run(10);
  return scene.row(id);
}

describe('a stop', () => {
  it('is taken once LiveKit has taken it, and cannot be asked for again', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    // What is ordered stays on file.
    scene.instead(EffectDispatcher, 'dispatch', async () => undefined, 20);
    const stopped = await scene.stop(id);
    expect(stopped).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
    expect(stopped.upkeep.stopRequestedAt).not.toBeNull();
    const orders = scene.world.recordings.outbox.keys();
    expect(orders.filter((order) => order.includes('remove-recorder'))).toEqual([]);
    expect(await scene.refusal(scene.stop(id))).toMatchObject({
      code: 'RECORDING_ALREADY_STOPPED',
      subject: { recordingId: id, roomId: 'talk' },
    });
    await scene.run(20_000);
    expect(scene.row(id)).toMatchObject({ status: 'COMPLETE', endReason: 'STOP_REQUESTED', egressId });
  });

  it('is taken where the worker gave LiveKit no answer, whose recorder is then sent out of the room', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'no-answer-from-worker' }));
    const stopped = await scene.stop(id);
    expect(stopped).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
    await scene.run(40_000);
    expect(scene.world.engine.runningEgressIds()).not.toContain(egressId);
    expect(scene.row(id)).toMatchObject({ status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
  });

  it('is stored before LiveKit is asked, so that a LiveKit that does not answer can not undo it', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    scene.instead(LiveKit, 'stopEgress', async () => {
      throw new TallyError('LIVEKIT_UNAVAILABLE', 'no answer');
    });
    expect(await scene.refusal(scene.stop(id))).toMatchObject({ code: 'LIVEKIT_UNAVAILABLE' });
    expect(scene.row(id).upkeep.stopRequestedAt).not.toBeNull();
  });

  it('of what is active needs no list of LiveKit', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const away = async (): Promise<never> => {
      throw new TallyError('LIVEKIT_UNAVAILABLE', 'no answer');
    };
    scene.instead(LiveKit, 'findEgress', away, 100);
    scene.instead(LiveKit, 'listEgresses', away, 100);
    expect((await scene.stop(id)).status).toBe('ENDING');
  });

  it('of a recording that is over is refused and changes nothing', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    await scene.stop(id);
    await scene.run(60_000);
    const over = scene.row(id);
    expect(await scene.refusal(scene.stop(id))).toMatchObject({
      code: 'RECORDING_ALREADY_STOPPED',
      subject: { recordingId: id },
    });
    expect(scene.row(id)).toEqual(over);
  });

  it('needs the right to it', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const viewer = { ...ADMIN, role: 'VIEWER', mayDelete: false } as const;
    expect(await scene.refusal(scene.stop(id, viewer))).toMatchObject({ code: 'FORBIDDEN' });
    expect(scene.row(id)).toMatchObject({ status: 'ACTIVE', upkeep: { stopRequestedAt: null } });
  });

  it('of what ends in the same moment is answered with its end', async () => {
    const scene = new CoreScene();
    const active = await scene.recorded();
    scene.world.engine.leave('talk', 'ann');
    scene.world.engine.closeRoom('talk');
    await scene.run(20_000);
    scene.instead(RecordingStore, 'get', async () => active);
    expect(await scene.stop(active.id)).toMatchObject({ id: active.id, status: 'COMPLETE' });
  });

  it('of what was ending, and has ended in the same moment, is refused like any second stop', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const ending = await scene.stop(id);
    await scene.run(20_000);
    scene.instead(RecordingStore, 'get', async () => ending);
    expect(await scene.refusal(scene.stop(id))).toMatchObject({ code: 'RECORDING_ALREADY_STOPPED' });
  });

  it('of what LiveKit has ended already tells the end that LiveKit shows', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    scene.world.engine.setReceiver(null);
    scene.world.engine.endEgress(egressId!, 'limit-reached');
    await scene.run(3_000);
    expect(scene.row(id).status).toBe('ACTIVE');
    expect(await scene.stop(id)).toMatchObject({ status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED' });
  });

  it('of what LiveKit calls over and shows as active leaves it as LiveKit shows it', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'not-stoppable', status: 'COMPLETE' }));
    expect((await scene.stop(id)).status).toBe('ACTIVE');
  });

  it('of what LiveKit ends already is taken', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'not-stoppable', status: 'ENDING' }));
    expect(await scene.stop(id)).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
  });
});

describe('a stop of what LiveKit knows no more', () => {
  it('sends its recorder out of the room where that proves no end', async () => {
    const scene = new CoreScene();
    const { id, egressId } = await scene.recorded();
    const { engine } = scene.world;
    engine.pauseWorker();
    engine.loseEgresses();
    expect(await scene.stop(id)).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
    engine.resumeWorker();
    await scene.run(30_000);
    expect(engine.runningEgressIds()).not.toContain(egressId);
  });

  /** LiveKit has lost its record, and its worker is dead while another one lives. */
  function loseIt({ world: { engine } }: CoreScene): void {
    engine.addWorker();
    engine.setReceiver(null);
    engine.killWorker({ id: engine.fleet.list()[0]!.id });
    engine.loseEgresses();
  }

  it('tells that it is over where that is proven', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    loseIt(scene);
    const stopped = await scene.stop(id);
    expect(stopped).toMatchObject({ status: 'ABORTED', endReason: 'STALE' });
    expect(stopped.upkeep.continuation ?? null).toBeNull();
  });

  it('is answered where Redis loses its row meanwhile', async () => {
    const scene = new CoreScene();
    const active = await scene.recorded();
    loseIt(scene);
    scene.instead(LiveKit, 'findEgress', async () => {
      scene.forget(active);
      return null;
    });
    expect(await scene.stop(active.id)).toMatchObject({ id: active.id });
  });
});

describe('a stop of what has not begun', () => {
  it('cancels the start, which its caller is told', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.setFault({ name: 'start-never-active', room: 'talk' });
    const { id } = await scene.start({ waitForActive: false });
    await scene.run(1_000);
    expect(await scene.refusal(scene.stop(id))).toMatchObject({
      code: 'RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING',
      subject: { recordingId: id, roomId: 'talk' },
    });
    expect(scene.row(id)).toMatchObject({ endReason: 'START_CANCELLED' });
    await scene.run(20_000);
    expect(scene.row(id)).toMatchObject({ status: 'ABORTED', endReason: 'START_CANCELLED' });
    expect(scene.world.engine.runningEgressIds()).toEqual([]);
  });

  it('stops it like any other where LiveKit shows that it is active by now', async () => {
    const scene = new CoreScene();
    const { id, status } = await untold(scene);
    expect(status).toBe('STARTING');
    expect(await scene.stop(id)).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
  });

  it('stops it like any other where it becomes active right after LiveKit was asked', async () => {
    const scene = new CoreScene();
    const starting = await untold(scene);
    scene.instead(ReconcileRecording, 'look', async () => {
      scene.put({ ...starting, status: 'ACTIVE' });
      return starting;
    });
    expect(await scene.stop(starting.id)).toMatchObject({ status: 'ENDING', endReason: 'STOP_REQUESTED' });
  });
});

describe('a stop while Redis loses rows', () => {
  it('is not told as taken where the row is lost before the stop is stored', async () => {
    const scene = new CoreScene();
    const active = await scene.recorded();
    scene.forget(active);
    scene.instead(RecordingStore, 'get', async () => active);
    expect(await scene.refusal(scene.stop(active.id))).toMatchObject({
      code: 'RECORDING_NOT_FOUND',
      subject: { recordingId: active.id },
    });
  });

  it('is not told as taken where the row is lost while LiveKit is asked', async () => {
    const scene = new CoreScene();
    const active = await scene.recorded();
    scene.instead(LiveKit, 'stopEgress', async (egressId) => {
      scene.forget(active);
      return scene.use(LiveKit).stopEgress(egressId);
    });
    expect(await scene.refusal(scene.stop(active.id))).toMatchObject({ code: 'RECORDING_NOT_FOUND' });
  });

  it('stops the egress of a start whose row is lost while LiveKit is looked at', async () => {
    const scene = new CoreScene();
    const starting = await untold(scene);
    scene.instead(ReconcileRecording, 'look', async () => {
      scene.forget(starting);
      return null;
    });
    expect(await scene.refusal(scene.stop(starting.id))).toMatchObject({ code: 'RECORDING_NOT_FOUND' });
    await scene.run(20_000);
    expect(scene.world.engine.runningEgressIds()).toEqual([]);
  });

  it('is told that it is gone where its row is lost before it has an egress', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(EffectDispatcher, 'dispatch', async () => undefined, 20);
    const starting = await scene.start({ waitForActive: false });
    scene.instead(ReconcileRecording, 'look', async () => {
      scene.forget(starting);
      return null;
    });
    expect(await scene.refusal(scene.stop(starting.id))).toMatchObject({ code: 'RECORDING_NOT_FOUND' });
  });

  it('is stored anew where a rebuild brings back the row without it', async () => {
    const scene = new CoreScene();
    const active = await scene.recorded();
    const { engine } = scene.world;
    scene.instead(LiveKit, 'stopEgress', async () => {
      scene.put(active);
      engine.endEgress(active.egressId!, 'child-crash');
      return { kind: 'not-stoppable', status: 'FAILED' };
    });
    const stopped = await scene.stop(active.id);
    expect(stopped.upkeep.stopRequestedAt).not.toBeNull();
    expect(scene.row(active.id).upkeep.stopRequestedAt).not.toBeNull();
  });
});
