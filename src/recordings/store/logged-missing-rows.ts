import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { MissingRows } from './missing-rows.port.js';

const SAY_AGAIN_MS = 60_000;
const MOST_REMEMBERED = 1_000;

/** Says it in the log, once a minute for each recording. */
@Injectable()
export class LoggedMissingRows extends MissingRows {
  private readonly log = new Logger('Recordings');
  private readonly saidAt = new Map<RecordingId, number>();

  constructor(private readonly clock: Clock) {
    super();
  }

  report(ids: readonly RecordingId[]): void {
    const now = this.clock.now();
    for (const recordingId of ids) {
      if (now - (this.saidAt.get(recordingId) ?? -Infinity) < SAY_AGAIN_MS) continue;
      if (this.saidAt.size >= MOST_REMEMBERED) this.saidAt.clear();
      this.saidAt.set(recordingId, now);
      this.log.warn({
        event: 'row_missing',
        message:
          'an index names a recording whose row is gone from Redis; its record in the bucket brings it back',
        recordingId,
      });
    }
  }
}
