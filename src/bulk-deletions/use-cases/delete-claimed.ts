import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { JobQueue } from '../../queue/define-job.js';
import { finishDeletion } from '../../recordings/jobs/finish-deletion.job.js';
import { compareStreamIds } from '../../recordings/events/stream-id.js';
import { RecordingWriter } from '../../recordings/write/recording.writer.js';
import { type Artifacts, artifactsOf } from '../../storage/object-keys.js';
import { RecordingObjects } from '../../storage/recording-objects.js';
import type { Claim } from '../domain/bulk-deletion.js';

/** A recording of which nothing is undone any more, should this process die. */
export interface Claimed extends Claim {
  readonly id: RecordingId;
}

/** What the storage did not confirm. */
export interface NotDeleted {
  readonly claimed: Claimed;
  readonly why: string;
}

const ROWS_AT_ONCE = 50;
/** One that another process was faster to remove. */
const NO_EVENT = '0-0';

/** Deletes many recordings with few requests: their objects, then the rows of those of which the storage confirmed that nothing is left. */
@Injectable()
export class DeleteClaimed {
  constructor(
    private readonly objects: RecordingObjects,
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
    const { gone, left } = await this.remove(all);
    for (let i = 0; i < gone.length; i += ROWS_AT_ONCE) {
      const some = await this.removeRows(gone.slice(i, i + ROWS_AT_ONCE), by);
      await this.confirm(some);
      await onDeleted(some.map(({ id }) => id));
    }
    return left;
  }

  /** In the order in which they went, which is that of their events. */
  private async removeRows(all: readonly Claimed[], by: string): Promise<Claimed[]> {
    const removed = await Promise.all(
      all.map(async (claimed) => {
        const told = await this.writer.apply(claimed.id, { kind: 'deleted', at: this.clock.now() }, by);
        return { claimed, eventId: told?.position?.id ?? NO_EVENT };
      }),
    );
    return removed.toSorted((a, b) => compareStreamIds(a.eventId, b.eventId)).map(({ claimed }) => claimed);
  }

  /** Their rows are gone. A record that was being written, or media that landed, meanwhile is removed by now or, if need be, later. */
  async confirm(all: readonly Claimed[]): Promise<void> {
    for (const { claimed } of (await this.remove(all)).left)
      await this.jobs.add(finishDeletion, { recordingId: claimed.id, roomId: claimed.roomId });
  }

  /**
   * Those of which nothing was deleted are left as they are. What is begun, or may be, is carried through by whoever can: a
   * storage that does not answer may have deleted all the same, and so may a process that died. Whether each has its media; null:
   * it could not be asked.
   */
  async giveUp(left: readonly NotDeleted[], by: string): Promise<(boolean | null)[]> {
    const media = await this.objects.haveMedia(left.map(({ claimed }) => objectsOf(claimed)));
    for (const [i, { claimed }] of left.entries())
      if (media[i] !== true)
        await this.writer.apply(claimed.id, { kind: 'deletion-requested', by, at: this.clock.now() }, by);
    return media;
  }

  private async remove(all: readonly Claimed[]): Promise<{ gone: Claimed[]; left: NotDeleted[] }> {
    const removals = await this.objects.remove(all.map((claimed) => objectsOf(claimed)));
    const gone: Claimed[] = [];
    const left: NotDeleted[] = [];
    all.forEach((claimed, i) => {
      const removal = removals[i];
      if (removal === undefined || removal.gone) gone.push(claimed);
      else left.push({ claimed, why: removal.why });
    });
    return { gone, left };
  }
}

/** Segments are found by a list of their own, which is asked for only where there may be some: most have none. */
function objectsOf(claimed: Claimed): Artifacts {
  const artifacts = artifactsOf(claimed);
  return claimed.crashProof === false ? { ...artifacts, prefixes: [] } : artifacts;
}
