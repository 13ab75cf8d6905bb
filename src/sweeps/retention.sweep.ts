import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Config } from '../config/config.js';
import type { RoomId } from '../kernel/ids.js';
import { FINAL_STATUSES, type StoredRecording } from '../recordings/domain/recording.js';
import type { PageCursor } from '../recordings/store/recording-query.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { DeleteRecording } from '../recordings/use-cases/delete-recording.js';
import type { Room } from '../rooms/domain/room.js';
import { RoomStore } from '../rooms/store/room.store.js';
import { Sweep, type SweepPass } from './sweep.js';

const DAY_MS = 86_400_000;
const PAGE = 100;
const DELETIONS_AT_ONCE = 8;

/** Deletes the recordings of rooms that keep them for some days, so many days after they ended. */
@Injectable()
export class RetentionSweep extends Sweep {
  readonly name = 'RETENTION';
  readonly everyMs: number;

  constructor(
    config: Config,
    private readonly rooms: RoomStore,
    private readonly store: RecordingStore,
    private readonly deletion: DeleteRecording,
  ) {
    super();
    this.everyMs = config.sweepEveryMs.retention;
  }

  async pass(pass: SweepPass): Promise<void> {
    for (let after: RoomId | null = null; ;) {
      const page = await this.rooms.page({ nameContains: null, within: null, first: PAGE, after });
      for (const room of page.rooms) await this.lookAt(pass, room);
      after = page.rooms.at(-1)?.id ?? null;
      if (!page.hasNextPage || after === null) return;
    }
  }

  /** What was requested later has ended later: only what may be due is read. */
  private async lookAt(pass: SweepPass, { id, recordingSettings }: Room): Promise<void> {
    const days = recordingSettings.retentionDays;
    if (days === null) return;
    const keptSince = pass.startedAt - days * DAY_MS;
    const limit = pLimit(DELETIONS_AT_ONCE);
    for (let after: PageCursor | null = null; ;) {
      pass.signal.throwIfAborted();
      const page = await this.store.page({
        ...{ rooms: [id], statuses: FINAL_STATUSES, labels: {}, first: PAGE, after },
        ...{ requestedAfter: null, requestedBefore: keptSince + 1, field: 'REQUESTED_AT', direction: 'ASC' },
      });
      pass.examined(page.items.length);
      const due = page.items.map(({ recording }) => recording).filter((one) => isDue(one, keptSince));
      await Promise.all(due.map((recording) => limit(() => this.suspect(pass, recording, days))));
      after = page.endCursor;
      if (!page.hasNextPage || after === null) return;
    }
  }

  private suspect(pass: SweepPass, recording: StoredRecording, days: number): Promise<void> {
    const { id, roomId, endedAt } = recording;
    const ended = new Date(endedAt ?? 0).toISOString();
    return pass.suspect(
      {
        kind: 'EXPIRED_RECORDING',
        subject: id,
        action: 'delete the recording',
        detail: `room ${roomId} keeps recordings for ${days} days, and it ended at ${ended}`,
      },
      () => this.deletion.deleteAs(pass.cause, recording),
    );
  }
}

function isDue({ endedAt, upkeep }: StoredRecording, keptSince: number): boolean {
  return endedAt !== null && endedAt <= keptSince && upkeep.deletion === null;
}
