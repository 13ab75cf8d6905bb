import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import { startDeadlineOf } from '../domain/deadlines.js';
import type { StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { ReconcileRecording } from './reconcile-recording.js';

/** The deadline of a start. One look at LiveKit comes first: an egress that is active by then makes the recording ACTIVE. */
@Injectable()
export class PassStartDeadline {
  private readonly log = new Logger('StartDeadline');

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly reconcile: ReconcileRecording,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** How long until it is due, in ms; null: there is nothing left of it. Being run is not being due: timers ring early and twice. */
  async execute(id: RecordingId): Promise<number | null> {
    const recording = await this.store.get(id);
    const dueAt = recording && startDeadlineOf(recording, this.config.recordingStartTimeoutMs);
    if (recording === null || dueAt === null) return null;
    const leftMs = dueAt - this.clock.now();
    if (leftMs > 0) return leftMs;
    try {
      await this.lookBriefly(recording);
    } catch (error) {
      // The caller has waited as long as was promised; whatever LiveKit made of the start is followed up afterwards.
      if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE')) throw error;
      this.log.warn({
        message: 'LiveKit could not be asked before a start timed out',
        recordingId: id,
        cause: error.message,
      });
    }
    const waitedMs = this.config.recordingStartTimeoutMs;
    await this.writer.apply(id, { kind: 'start-deadline-passed', waitedMs, at: this.clock.now() }, 'timeout');
    return null;
  }

  /** A LiveKit that doesn't answer must not hold the caller far beyond its time; a look that comes late still counts afterwards. */
  private async lookBriefly(recording: StoredRecording): Promise<void> {
    const over = new AbortController();
    const limit = this.clock.sleep(this.config.livekitTimeoutMs, over.signal).then(
      () =>
        Promise.reject(
          new TallyError('LIVEKIT_UNAVAILABLE', 'LiveKit did not answer before the start timed out'),
        ),
      () => undefined,
    );
    try {
      await Promise.race([this.reconcile.look(recording), limit]);
    } finally {
      over.abort();
    }
  }
}
