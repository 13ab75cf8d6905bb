import { aRecording } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import { TallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import type { StoredRecording } from '../domain/recording.js';
import { EventLog } from '../events/event-log.port.js';
import { ReconcileRecording } from './reconcile-recording.js';
import { StartOutcome } from './start-outcome.js';

/** An attempt of 15 s ago that nobody carries on, and to which LiveKit has not said a word. */
function abandoned(scene: CoreScene, upkeep: Partial<StoredRecording['upkeep']> = {}): StoredRecording {
  const now = scene.world.clock.now();
  const row = aRecording({ status: 'STARTING', requestedAt: now - 15_000, startedAt: null, egressId: null });
  const sent = { startSentAt: now, startPendingUntil: now + 40_000 };
  scene.put({ ...row, upkeep: { ...row.upkeep, ...sent, ...upkeep } });
  return scene.row(row.id);
}

async function wait(scene: CoreScene, id: RecordingId, read: StoredRecording | null = null) {
  const since = await scene.answer(scene.use(EventLog).end());
  return scene.answer(scene.use(StartOutcome).wait(id, since, read));
}

/** What it comes to, and after how many ms. */
async function timed<T>(scene: CoreScene, work: Promise<T>): Promise<{ came: T; ms: number }> {
  const since = scene.world.clock.now();
  const came = await work;
  return { came, ms: scene.world.clock.now() - since };
}

describe('a caller that waits for its start', () => {
  it('is answered as soon as the recording is active, long before the time for it is over', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { came, ms } = await timed(scene, scene.start());
    expect(came.status).toBe('ACTIVE');
    expect(ms).toBeLessThan(10_000);
  });

  it('is answered at once where it was active before', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const { came, ms } = await timed(scene, wait(scene, id));
    expect(came).toMatchObject({ id, status: 'ACTIVE' });
    expect(ms).toBeLessThan(1_000);
  });

  it('follows the log no longer once it has its answer', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const signals: AbortSignal[] = [];
    scene.instead(EventLog, 'follow', (since, signal) => {
      signals.push(signal);
      return scene.use(EventLog).follow(since, signal);
    });
    await scene.start();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('is told the error of the start, and which recording it was', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.setFault({ name: 'start-refused-400', room: 'talk' });
    const refusal = await scene.refusal(scene.start());
    const [row] = scene.world.rows();
    expect(refusal).toMatchObject({
      code: 'RECORDING_START_REJECTED',
      subject: { recordingId: row!.id },
    });
    expect(row).toMatchObject({ status: 'FAILED', endReason: 'START_REJECTED' });
    expect(await scene.refusal(wait(scene, row!.id))).toMatchObject({ code: 'RECORDING_START_REJECTED' });
  });

  it('is told that it took too long by its own process where nobody else looks at the time', async () => {
    const scene = new CoreScene();
    const { id } = abandoned(scene);
    const { came, ms } = await timed(scene, scene.refusal(wait(scene, id)));
    expect(came).toMatchObject({ code: 'RECORDING_START_TIMEOUT', subject: { recordingId: id } });
    expect(came.message).toContain('failed');
    expect(ms).toBeGreaterThan(5_000);
    expect(ms).toBeLessThan(10_000);
    expect(scene.row(id)).toMatchObject({ status: 'FAILED', endReason: 'START_TIMEOUT' });
  });

  it('is told that it is open where its time is over and nothing could be decided', async () => {
    const scene = new CoreScene();
    const { id } = abandoned(scene);
    scene.instead(ReconcileRecording, 'execute', async () => null, 5);
    const refusal = await scene.refusal(wait(scene, id));
    expect(refusal).toMatchObject({ code: 'RECORDING_START_TIMEOUT', subject: { recordingId: id } });
    expect(refusal.message).toContain('is still STARTING');
  });

  it('is told that it is active where only a last look at LiveKit shows it', async () => {
    const scene = new CoreScene();
    const { id } = abandoned(scene);
    const found = scene.row(id);
    scene.instead(ReconcileRecording, 'execute', async () => {
      scene.put({ ...found, status: 'ACTIVE', upkeep: { ...found.upkeep, startResult: 'ACTIVE' } });
      return null as never;
    });
    expect(await wait(scene, id)).toMatchObject({ id, status: 'ACTIVE' });
  });

  it('waits on where what the log tells is not in the row', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { id } = await scene.start({ waitForActive: false });
    const starting = scene.row(id);
    // As a Redis has it that was set back in this moment.
    scene.instead(EventLog, 'follow', async function* () {
      yield { recording: { ...starting, status: 'ACTIVE' } } as never;
    });
    expect(await wait(scene, id, starting)).toMatchObject({ id, status: 'ACTIVE' });
  });

  it('is told that its recording was deleted, or is gone', async () => {
    const scene = new CoreScene();
    const deleted = abandoned(scene, { deleted: true });
    const notFound = { code: 'RECORDING_NOT_FOUND', subject: { recordingId: deleted.id } };
    expect(await scene.refusal(wait(scene, deleted.id))).toMatchObject(notFound);
    scene.forget(deleted);
    expect(await scene.refusal(wait(scene, deleted.id))).toMatchObject(notFound);
  });
});

describe('a caller that waits for its start while the event log is lost', () => {
  const expired = (): never => {
    throw new TallyError('CURSOR_EXPIRED', 'another log');
  };

  it('follows the new log and is answered in time', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(EventLog, 'follow', expired);
    const { came, ms } = await timed(scene, scene.start());
    expect(came.status).toBe('ACTIVE');
    expect(ms).toBeLessThan(10_000);
  });

  it('is answered at once with what was decided meanwhile', async () => {
    const scene = new CoreScene();
    const { id } = abandoned(scene);
    scene.instead(EventLog, 'follow', () => {
      const row = scene.row(id);
      scene.put({ ...row, status: 'ACTIVE', upkeep: { ...row.upkeep, startResult: 'ACTIVE' } });
      return expired();
    });
    const { came, ms } = await timed(scene, wait(scene, id));
    expect(came.status).toBe('ACTIVE');
    expect(ms).toBeLessThan(1_000);
  });

  it('is told where the log can not be read for another reason', async () => {
    const scene = new CoreScene();
    const { id } = abandoned(scene);
    scene.instead(EventLog, 'follow', () => {
      throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer');
    });
    expect(await scene.refusal(wait(scene, id))).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });
});

describe('a caller that does not wait', () => {
  it('is shown the recording while nothing is decided, and once it was active', async () => {
    const scene = new CoreScene();
    const starting = abandoned(scene);
    const active = abandoned(scene, { startResult: 'ACTIVE' });
    expect(scene.use(StartOutcome).current(starting)).toBe(starting);
    expect(scene.use(StartOutcome).current(active)).toBe(active);
  });

  it('is told the error of a start that failed', () => {
    const scene = new CoreScene();
    const startResult = { code: 'RECORDING_START_FAILED', message: 'no' } as const;
    const failed = abandoned(scene, { startResult });
    const told = (): StoredRecording => scene.use(StartOutcome).current(failed);
    expect(told).toThrow(expect.objectContaining({ ...startResult, subject: { recordingId: failed.id } }));
  });
});
