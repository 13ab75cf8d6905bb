import { aRecording, aRoomId } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import { TallyError } from '../../kernel/errors.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { EffectDispatcher } from '../write/effect-dispatcher.port.js';
import { LaunchEgress } from './launch-egress.js';

/** An attempt of so long ago that nobody has sent, in a meeting of which LiveKit tells nothing. */
async function unsent(scene: CoreScene, agoMs = 0): Promise<StoredRecording> {
  await scene.meeting();
  scene.world.engine.setReceiver(null);
  scene.instead(EffectDispatcher, 'dispatch', async () => undefined, 100);
  const row = aRecording({ roomId: aRoomId('talk'), audioOnly: true });
  const { upkeep } = row;
  scene.put({
    ...row,
    requestedAt: scene.world.clock.now() - agoMs,
    upkeep: { ...upkeep, startSentAt: null, startPendingUntil: scene.world.clock.now() + 40_000 },
  });
  return scene.row(row.id);
}

function launch(scene: CoreScene, { id }: StoredRecording): Promise<void> {
  return scene.answer(scene.use(LaunchEgress).execute(id));
}

describe('the request of a start', () => {
  it('is sent once, whoever asks for it again, and what LiveKit answers is stored', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene);
    const twice = [scene.use(LaunchEgress).execute(row.id), scene.use(LaunchEgress).execute(row.id)];
    await scene.answer(Promise.all(twice));
    await launch(scene, row);
    const egresses = scene.world.engine.egresses();
    expect(egresses).toHaveLength(1);
    expect(scene.row(row.id)).toMatchObject({
      egressId: egresses[0]!.egressId,
      upkeep: { startAnswer: 'accepted' },
    });
  });

  it('is not sent for what Redis has forgotten', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene);
    scene.forget(row);
    const since = scene.world.clock.now();
    await launch(scene, row);
    expect(scene.world.clock.now() - since).toBeLessThan(1_000);
    expect(scene.world.engine.egresses()).toEqual([]);
  });

  it('is not sent once the recording could hardly become active in time', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene, 17_000);
    await launch(scene, row);
    expect(scene.world.engine.egresses()).toEqual([]);
    expect(scene.row(row.id)).toMatchObject({ status: 'FAILED', endReason: 'START_REJECTED' });
  });

  it('is not sent by who was held up for longer than it may take', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene);
    scene.instead(RecordingStore, 'commit', async (step) => {
      const result = await scene.use(RecordingStore).commit(step);
      await scene.world.clock.sleep(scene.world.config.livekitStartTimeoutMs);
      return result;
    });
    await launch(scene, row);
    expect(scene.world.engine.egresses()).toEqual([]);
    expect(scene.row(row.id)).toMatchObject({ status: 'FAILED' });
    expect(scene.row(row.id).upkeep.startAnswer).toBe('refused');
  });

  it('is sent, and its answer stored, also where Redis does not answer for a moment', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene);
    const away = async (): Promise<never> => {
      throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer');
    };
    scene.instead(RecordingStore, 'commit', away, 2);
    scene.instead(LiveKit, 'startEgress', (request) => {
      scene.instead(RecordingStore, 'commit', away, 2);
      return scene.use(LiveKit).startEgress(request);
    });
    await launch(scene, row);
    expect(scene.world.engine.egresses()).toHaveLength(1);
    expect(scene.row(row.id).upkeep.startAnswer).toBe('accepted');
  });

  it('asks for segments of some seconds beside the file where the room is set so', async () => {
    const scene = new CoreScene();
    await scene.meeting('talk', { crashProof: true });
    await scene.start();
    await scene.run(15_000);
    const keys = scene.world.bucket.keys();
    expect(keys.filter((key) => key.endsWith('.ts')).length).toBeGreaterThan(3);
    expect(keys.filter((key) => key.endsWith('.m3u8'))).toHaveLength(2);
  });
});

describe('the answer to a start', () => {
  it.each([
    [401, 'LIVEKIT_UNAVAILABLE'],
    [400, 'RECORDING_START_REJECTED'],
  ])('%i ends it, and its caller is told %s', async (status, code) => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(LiveKit, 'startEgress', async () => ({ kind: 'refused', status, why: 'it said no' }));
    expect(await scene.refusal(scene.start())).toMatchObject({ code });
    expect(scene.world.rows()).toMatchObject([
      { status: 'FAILED', endReason: 'START_REJECTED', error: 'it said no' },
    ]);
  });

  it('that did not come leaves LiveKit’s list to decide', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.setReceiver(null);
    scene.world.engine.setFault({ name: 'start-answer-lost', room: 'talk', times: 1 });
    const started = await scene.start();
    expect(started).toMatchObject({ status: 'ACTIVE', upkeep: { startAnswer: 'unanswered' } });
    expect(scene.world.engine.runningEgressIds()).toEqual([started.egressId]);
  });
});

describe('a process that is told to end', () => {
  it('waits for the answers to the starts that it has sent', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene);
    void scene.use(LaunchEgress).execute(row.id);
    await scene.answer(scene.use(LaunchEgress).beforeApplicationShutdown());
    expect(scene.row(row.id).upkeep.startAnswer).toBe('accepted');
  });

  it('waits for some seconds only', async () => {
    const scene = new CoreScene();
    const row = await unsent(scene);
    scene.world.engine.setFault({ name: 'start-slow', room: 'talk' });
    const since = scene.world.clock.now();
    void scene.use(LaunchEgress).execute(row.id);
    await scene.answer(scene.use(LaunchEgress).beforeApplicationShutdown());
    expect(scene.world.clock.now() - since).toBeLessThan(6_000);
    expect(scene.row(row.id).upkeep.startAnswer).toBe('none');
  });
});
