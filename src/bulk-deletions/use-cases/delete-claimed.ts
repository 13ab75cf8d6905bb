import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { isTallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import { JobQueue } from '../../queue/define-job.js';
import { finishDeletion } from '../../recordings/jobs/finish-deletion.job.js';
import { compareStreamIds } from '../../recordings/events/stream-id.js';
import { RecordingWriter } from '../../recordings/write/recording.writer.js';
import { mediaKey, metadataKey } from '../../storage/object-keys.js';
import { type DeleteResult, ObjectStorage } from '../../storage/object-storage.port.js';
import type { Claim } from '../domain/bulk-deletion.js';

/** A recording of which nothing is undone any more, should this process die. */
export interface Claimed extends Claim {
  readonly id: RecordingId;
}

/** What the storage did not confirm. */
export interface NotDeleted {
  readonly claimed: Claimed;
  readonly mediaGone: boolean;
  readonly why: string;
}

const ROWS_AT_ONCE = 50;
/** One that another process was faster to remove. */
const NO_EVENT = '0-0';

/**
 * Deletes many recordings with few requests: all media, then the records of those whose media is gone, then their rows. Only what the storage confirmed, key by key, is taken for deleted.
 */
@Injectable()
export class DeleteClaimed {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly writer: RecordingWriter,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** `onDeleted` is told in the order of the deletions. Safe to repeat. Answers with those that are not deleted. */
  async execute(
    all: readonly Claimed[],
    by: string,
    onDeleted: (ids: readonly RecordingId[]) => Promise<void>,
  ): Promise<NotDeleted[]> {
    const media = await this.remove(all, mediaOf);
    const record = await this.remove(media.gone, recordOf);
    for (let i = 0; i < record.gone.length; i += ROWS_AT_ONCE) {
      const some = await this.removeRows(record.gone.slice(i, i + ROWS_AT_ONCE), by);
      await this.confirm(some);
      await onDeleted(some.map(({ id }) => id));
    }
    return [
      ...media.left.map((one) => ({ ...one, mediaGone: false })),
      ...record.left.map((one) => ({ ...one, mediaGone: true })),
    ];
  }

  /** In the order in which they went, which is that of their events. */
  private async removeRows(all: readonly Claimed[], by: string): Promise<Claimed[]> {
    const removed = await Promise.all(
      all.map(async (claimed) => {
        const told = await this.writer.tell(claimed.id, { kind: 'deleted', at: this.clock.now() }, by);
        return { claimed, eventId: told?.position?.id ?? NO_EVENT };
      }),
    );
    return removed.toSorted((a, b) => compareStreamIds(a.eventId, b.eventId)).map(({ claimed }) => claimed);
  }

  /** Their rows are gone. A record that was being written, or media that landed, meanwhile is removed by now or, if need be, later. */
  async confirm(all: readonly Claimed[]): Promise<void> {
    const [media, record] = [await this.remove(all, mediaOf), await this.remove(all, recordOf)];
    for (const { claimed } of [...media.left, ...record.left]) {
      const { id: recordingId, roomId, audioOnly } = claimed;
      await this.jobs.add(finishDeletion, { recordingId, roomId, audioOnly });
    }
  }

  /** Its media is gone and the rest could not be removed in time: it is carried through, by whoever can. */
  async carryThroughLater(id: RecordingId, by: string): Promise<void> {
    await this.writer.tell(id, { kind: 'deletion-requested', by, at: this.clock.now() }, by);
  }

  private async remove(all: readonly Claimed[], keyOf: (one: Claimed) => string) {
    const results = await this.ask(all.map(keyOf));
    const gone: Claimed[] = [];
    const left: { claimed: Claimed; why: string }[] = [];
    for (const claimed of all) {
      const result = results.get(keyOf(claimed)) ?? NOT_MENTIONED;
      if (result.deleted) gone.push(claimed);
      else left.push({ claimed, why: result.why });
    }
    return { gone, left };
  }

  /** A storage that could not be asked has deleted nothing that we know of. */
  private async ask(keys: readonly string[]): Promise<ReadonlyMap<string, DeleteResult>> {
    if (keys.length === 0) return new Map();
    try {
      return await this.storage.deleteMany(keys);
    } catch (error) {
      if (!isTallyError(error, 'STORAGE_UNAVAILABLE')) throw error;
      return new Map(
        keys.map((key) => [key, { deleted: false, code: error.code, why: 'the storage does not answer' }]),
      );
    }
  }
}

const NOT_MENTIONED: DeleteResult = {
  deleted: false,
  code: 'NotConfirmed',
  why: 'the storage has not confirmed that it is deleted',
};

function mediaOf({ roomId, id, audioOnly }: Claimed): string {
  return mediaKey(roomId, id, audioOnly);
}

function recordOf({ roomId, id }: Claimed): string {
  return metadataKey(roomId, id);
}
