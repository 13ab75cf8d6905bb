import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { MissingRows } from './missing-rows.port.js';

/** What has no record is not looked for again so soon: every list that is read names it. */
const AGAIN_AFTER_MS = 600_000;
const MOST_WAITING = 1_000;
const MOST_REMEMBERED = 10_000;

/** Keeps what was reported until its record has been looked for. */
@Injectable()
export class MissingRowsQueue extends MissingRows {
  private readonly log = new Logger('Recordings');
  private readonly waiting = new Set<RecordingId>();
  private readonly missedAt = new Map<RecordingId, number>();

  constructor(private readonly clock: Clock) {
    super();
  }

  report(ids: readonly RecordingId[]): void {
    const now = this.clock.now();
    for (const recordingId of ids) {
      if (this.waiting.has(recordingId) || this.waiting.size >= MOST_WAITING) continue;
      if (now - (this.missedAt.get(recordingId) ?? -Infinity) < AGAIN_AFTER_MS) continue;
      this.waiting.add(recordingId);
      this.log.warn({
        event: 'row_missing',
        message:
          'an index names a recording whose row is gone from Redis; it is restored from its record in the bucket',
        recordingId,
      });
    }
  }

  isAwaited(id: RecordingId): boolean {
    return this.waiting.has(id);
  }

  /** Those whose records have not been looked for yet. */
  pending(): RecordingId[] {
    return [...this.waiting];
  }

  /** It is there again, or was deleted. */
  settle(id: RecordingId): void {
    this.waiting.delete(id);
    this.missedAt.delete(id);
  }

  /** There is no record of it that could be read. */
  giveUp(id: RecordingId): void {
    this.settle(id);
    this.missedAt.set(id, this.clock.now());
    const [oldest] = this.missedAt.keys();
    if (this.missedAt.size > MOST_REMEMBERED && oldest !== undefined) this.missedAt.delete(oldest);
  }
}
