import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import type { StartRequest } from './start-recording.js';
import { TallyError } from '../../kernel/errors.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { EventLog } from '../events/event-log.port.js';
import { RecordingStore } from '../store/recording.store.js';

const idempotencyKey = 'k-1';

/** A recording that was started with the key. */
function keyed(scene: CoreScene, request: Partial<StartRequest> = {}) {
  return scene.recorded({ idempotencyKey, ...request });
}

describe('an idempotency key', () => {
  it('answers with the recording that it started, whoever waits', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene);
    expect(await scene.start({ idempotencyKey })).toMatchObject({ id, status: 'ACTIVE' });
    expect(await scene.start({ idempotencyKey, waitForActive: false })).toMatchObject({ id });
    expect(scene.world.rows()).toHaveLength(1);
  });

  it('answers who does not wait while it still starts, and who waits once it is active', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { id } = await scene.start({ idempotencyKey, waitForActive: false });
    expect(await scene.start({ idempotencyKey, waitForActive: false })).toMatchObject({
      id,
      status: 'STARTING',
    });
    expect(await scene.start({ idempotencyKey })).toMatchObject({ id, status: 'ACTIVE' });
  });

  it('answers also when its room is gone', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene);
    scene.world.engine.closeRoom('talk');
    scene.world.rooms.rooms.delete('talk');
    expect(await scene.start({ idempotencyKey })).toMatchObject({ id });
  });

  it('is of its caller alone, and of starts with a key alone', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene);
    const other = { ...ADMIN, callerId: 'key:other' };
    const taken = { code: 'RECORDING_ALREADY_STARTED', subject: { recordingId: id } };
    expect(await scene.refusal(scene.start({ idempotencyKey }, other))).toMatchObject(taken);
    expect(await scene.refusal(scene.start())).toMatchObject(taken);
  });

  it('is refused with another input, and means the same where what is open is left out', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene, { labels: { a: 1, b: 2 } });
    expect(await scene.refusal(scene.start({ idempotencyKey, labels: { a: 2 } }))).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      subject: { recordingId: id },
    });
    const same = { idempotencyKey, labels: { b: 2, a: 1 }, layout: undefined };
    expect(await scene.start(same)).toMatchObject({ id });
  });

  it('tells that its recording was deleted, or is gone', async () => {
    const scene = new CoreScene();
    const row = await keyed(scene);
    scene.put({ ...row, upkeep: { ...row.upkeep, deleted: true } });
    for (const waitForActive of [true, false]) {
      const refused = await scene.refusal(scene.start({ idempotencyKey, waitForActive }));
      expect(refused).toMatchObject({ code: 'RECORDING_NOT_FOUND', subject: { recordingId: row.id } });
      expect(refused.message).toContain('which this idempotency key started');
    }
    scene.forget(row);
    expect(await scene.refusal(scene.start({ idempotencyKey }))).toMatchObject({
      code: 'RECORDING_NOT_FOUND',
      subject: { recordingId: row.id },
    });
  });

  it('tells which recording it was where the log can not be read', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene);
    scene.instead(EventLog, 'end', async () => {
      throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer');
    });
    expect(await scene.refusal(scene.start({ idempotencyKey }))).toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      subject: { recordingId: id },
    });
  });

  it('answers with its own recording where that has come into the way since the key was read', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene);
    scene.instead(RecordingStore, 'keyUse', async () => null);
    expect(await scene.start({ idempotencyKey })).toMatchObject({ id });
  });

  it('answers with its own recording where that was stored in the same moment', async () => {
    const scene = new CoreScene();
    const { id } = await keyed(scene);
    scene.instead(RecordingStore, 'keyUse', async () => null);
    scene.instead(RecordingStore, 'slotHolder', async () => null);
    scene.instead(LiveKit, 'listEgresses', async () => []);
    expect(await scene.start({ idempotencyKey })).toMatchObject({ id });
    expect(scene.world.rows()).toHaveLength(1);
  });

  it('does not hide a refusal that has nothing to do with it', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.closeRoom('talk');
    expect(await scene.refusal(scene.start({ idempotencyKey }))).toMatchObject({ code: 'ROOM_NOT_OPEN' });
  });
});
