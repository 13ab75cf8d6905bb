import { LiveKit } from '../../livekit/livekit.port.js';
import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import { StopRecording } from './stop-recording.js';

describe('a stop', () => {
  it('is taken once LiveKit has taken it, and cannot be asked for again', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { id } = await scene.start();
    expect(scene.row(id).status).toBe('ACTIVE');
    const stopped = await scene.answer(scene.use(StopRecording).execute(id, ADMIN));
    expect(stopped.status).toBe('ENDING');
    expect(stopped.upkeep.stopRequestedAt).not.toBeNull();
    expect(await scene.refusal(scene.use(StopRecording).execute(id, ADMIN))).toMatchObject({
      code: 'RECORDING_ALREADY_STOPPED',
    });
    await scene.run(20_000);
    expect(scene.row(id)).toMatchObject({ status: 'COMPLETE', endReason: 'STOP_REQUESTED' });
  });

  it('is taken where the worker gave LiveKit no answer', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { id } = await scene.start();
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'no-answer-from-worker' }));
    const stopped = await scene.answer(scene.use(StopRecording).execute(id, ADMIN));
    expect(stopped.upkeep.stopRequestedAt).not.toBeNull();
  });
});
