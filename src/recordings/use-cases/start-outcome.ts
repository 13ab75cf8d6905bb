import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import type { StoredRecording } from '../domain/recording.js';
import { EventLog } from '../events/event-log.port.js';
import type { LogPosition } from '../store/log-position.js';
import { RecordingStore } from '../store/recording.store.js';
import { ReconcileRecording } from './reconcile-recording.js';

/** The deadline is a job; should no worker be there to run it, the caller's own process does. */
const WORKER_GRACE_MS = 2_000;

/** What became of a start: the recording once it was active, or the error that every caller with its key is told. */
@Injectable()
export class StartOutcome {
  constructor(
    private readonly store: RecordingStore,
    private readonly events: EventLog,
    private readonly reconcile: ReconcileRecording,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Waits, following the event log from `since`. `read`: the recording as it was at `since`, or later. Throws the start's own
   * error, or RECORDING_NOT_FOUND once it was deleted.
   */
  async wait(
    id: RecordingId,
    since: LogPosition,
    read: StoredRecording | null = null,
  ): Promise<StoredRecording> {
    const present = read ?? (await this.read(id));
    const decided = resultOf(present);
    if (decided) return decided;
    const waiting = new AbortController();
    const limitMs =
      present.requestedAt + this.config.recordingStartTimeoutMs + WORKER_GRACE_MS - this.clock.now();
    const limit = this.passDeadlineAfter(limitMs, id, waiting.signal);
    try {
      return await Promise.race([this.followed(id, since, waiting.signal), limit]);
    } finally {
      waiting.abort();
    }
  }

  /** The recording while nothing is decided, and once it was active. Throws the start's own error. */
  current(recording: StoredRecording): StoredRecording {
    return resultOf(recording) ?? recording;
  }

  private async followed(id: RecordingId, since: LogPosition, signal: AbortSignal): Promise<StoredRecording> {
    try {
      for await (const event of this.events.follow(since, signal)) {
        // Nothing is decided while it is STARTING: whatever decides it shows in its status.
        if (event.recording.id !== id || event.recording.status === 'STARTING') continue;
        const decided = resultOf(await this.read(id));
        if (decided) return decided;
      }
    } catch (error) {
      // Redis was lost and rebuilt under the caller, who waits for a recording and not for a log.
      if (!isTallyError(error, 'CURSOR_EXPIRED')) throw error;
      const end = await this.events.end();
      return resultOf(await this.read(id)) ?? this.followed(id, end, signal);
    }
    return new Promise<never>(() => undefined);
  }

  private async passDeadlineAfter(
    ms: number,
    id: RecordingId,
    signal: AbortSignal,
  ): Promise<StoredRecording> {
    try {
      await this.clock.sleep(Math.max(ms, 0), signal);
    } catch (reason) {
      if (signal.aborted) return new Promise<never>(() => undefined);
      throw reason;
    }
    await this.reconcile.execute(id);
    const recording = await this.read(id);
    const decided = resultOf(recording);
    if (decided) return decided;
    throw new TallyError(
      'RECORDING_START_TIMEOUT',
      `recording ${id} is still ${recording.status}; follow it by its events`,
      {
        recordingId: id,
      },
    );
  }

  private async read(id: RecordingId): Promise<StoredRecording> {
    const recording = await this.store.get(id);
    if (recording !== null && !recording.upkeep.deleted) return recording;
    throw new TallyError('RECORDING_NOT_FOUND', `recording ${id} was deleted`, { recordingId: id });
  }
}

/** Null: not decided yet. */
function resultOf(recording: StoredRecording): StoredRecording | null {
  const result = recording.upkeep.startResult;
  if (result === null) return null;
  if (result === 'ACTIVE') return recording;
  throw new TallyError(result.code, result.message, { recordingId: recording.id });
}
