import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { isTallyError } from '../../kernel/errors.js';
import { type BulkDeletionId, parseRecordingId, type RecordingId } from '../../kernel/ids.js';
import type { StoredRecording } from '../../recordings/domain/recording.js';
import { RecordingStore } from '../../recordings/store/recording.store.js';
import { StopRecording } from '../../recordings/use-cases/stop-recording.js';
import {
  backoffMs,
  type BulkDeletionSeen,
  type Entry,
  NEW_WORK,
  nextLookMs,
  type Work,
  workAfterTry,
} from '../domain/bulk-deletion.js';
import { type Verdict, verdictOn } from '../domain/verdict.js';
import { BulkDeletionStore, type Failed } from '../store/bulk-deletion.store.js';
import { CollectRoom } from './collect-room.js';
import { type Claimed, DeleteClaimed, type NotDeleted } from './delete-claimed.js';

/** As many as one request to the storage names keys. */
const AT_ONCE = 1_000;

type Judged = Entry & { readonly verdict: Verdict };

/**
 * One step of a bulk deletion. What is about to be touched is claimed in the store first, and every outcome is stored as soon as
 * it is known: whoever takes over, at whichever moment, goes on from there and tells the same.
 */
@Injectable()
export class RunBulkDeletion {
  private readonly log = new Logger('BulkDeletions');

  constructor(
    private readonly store: BulkDeletionStore,
    private readonly recordings: RecordingStore,
    private readonly collect: CollectRoom,
    private readonly deletion: DeleteClaimed,
    private readonly stop: StopRecording,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** How long until the next step, in ms; null: finished. */
  async execute(id: BulkDeletionId): Promise<number | null> {
    const bulk = await this.store.get(id);
    if (bulk === null || bulk.finishedAt !== null) return null;
    await this.collect.more(bulk);
    const now = this.clock.now();
    const { entries, nextAt } = await this.store.due(id, now, AT_ONCE);
    if (entries.length > 0) {
      await this.work(bulk, entries);
      return 0;
    }
    if (!bulk.collected) return 0;
    if (nextAt !== null) {
      await this.store.expectTouchAt(id, nextAt);
      return Math.max(0, nextAt - now);
    }
    if (await this.collect.missed(bulk)) return 0;
    await this.store.finish(bulk);
    // Something was found by another who was at it too.
    if ((await this.store.get(id))?.finishedAt === null) return 0;
    const { requestedBy, dryRun } = bulk;
    this.log.log({ message: 'bulk deletion finished', bulkDeletionId: id, by: requestedBy.name, dryRun });
    return null;
  }

  private async work(bulk: BulkDeletionSeen, entries: readonly Entry[]): Promise<void> {
    const now = this.clock.now();
    const rows = await Promise.all(entries.map(({ recordingId }) => this.read(recordingId)));
    const judged = entries.map((entry, i): Judged => ({
      ...entry,
      verdict: verdictOn(bulk, entry, rows[i] ?? null, now),
    }));
    const attempt = Math.max(...entries.map(({ work }) => work.attempts)) + 1;
    const settled = {
      attempt,
      failed: judged.flatMap((one) => refusedOf(one)),
      forgotten: judged
        .filter(({ verdict }) => verdict.do === 'forget')
        .map(({ recordingId }) => recordingId),
    };
    if (bulk.dryRun) {
      const would = judged.filter(({ verdict }) => verdict.do !== 'fail' && verdict.do !== 'forget');
      await this.store.advance(bulk.id, { ...settled, deleted: would.map(({ recordingId }) => recordingId) });
      return;
    }
    const claimed = judged.flatMap(({ recordingId, work, verdict }) =>
      verdict.do === 'delete' ? [{ recordingId, work: { ...work, claim: verdict.claim } }] : [],
    );
    await this.store.advance(bulk.id, { ...settled, claimed });
    await this.carryOn(bulk, judged);
    await this.remove(bulk, judged);
  }

  private async read(id: string): Promise<StoredRecording | null> {
    const recordingId = parseRecordingId(id);
    return recordingId === null ? null : this.recordings.get(recordingId);
  }

  /** Has what runs end, and looks again later: what LiveKit says of it then decides, not how long it took. */
  private async carryOn(bulk: BulkDeletionSeen, judged: readonly Judged[]): Promise<void> {
    const running = judged.filter(({ verdict }) => verdict.do === 'stop' || verdict.do === 'wait');
    if (running.length === 0) return;
    for (const one of running) if (one.verdict.do === 'stop') await this.askToStop(one.recordingId, bulk);
    const now = this.clock.now();
    const later = running.map(({ recordingId, work }) => {
      const waitingSince = work.waitingSince ?? now;
      return { recordingId, work: { ...work, waitingSince }, dueAt: now + nextLookMs(now - waitingSince) };
    });
    await this.store.advance(bulk.id, { later });
  }

  private async askToStop(recordingId: string, bulk: BulkDeletionSeen): Promise<void> {
    try {
      await this.stop.execute(recordingId, actorFor(bulk));
    } catch (error) {
      // Cancelled, over or ending already, or not to be asked now: the next look shows which.
      if (!isTallyError(error) || error.code === 'REDIS_UNAVAILABLE') throw error;
      this.log.debug({
        message: 'a stop was not taken',
        recordingId,
        bulkDeletionId: bulk.id,
        cause: error.message,
      });
    }
  }

  private async remove(bulk: BulkDeletionSeen, judged: readonly Judged[]): Promise<void> {
    const works = new Map(judged.map(({ recordingId, work }) => [recordingId, work]));
    const onDeleted = async (ids: readonly string[]): Promise<void> => {
      await this.store.advance(bulk.id, { deleted: ids });
    };
    const confirmed = claimedOf(judged, 'confirm');
    if (confirmed.length > 0) {
      await this.deletion.confirm(confirmed);
      await onDeleted(confirmed.map(({ id }) => id));
    }
    const left = await this.deletion.execute(claimedOf(judged, 'delete'), bulk.requestedBy.name, onDeleted);
    const now = this.clock.now();
    const tried = left.map((one) => ({
      one,
      work: workAfterTry(works.get(one.claimed.id) ?? NEW_WORK, one.claimed),
    }));
    const isGivenUp = ({ work }: (typeof tried)[number]) => work.attempts >= this.config.bulkDeleteAttempts;
    const given = tried.filter(isGivenUp);
    const again = tried.filter((one) => !isGivenUp(one));
    const media = await this.deletion.giveUp(
      given.map(({ one }) => one),
      bulk.requestedBy.name,
    );
    await this.store.advance(bulk.id, {
      failed: given.map(({ one, work }, i) => failureOf(one, work, media[i] ?? null)),
      later: again.map(({ one, work }) => ({
        recordingId: one.claimed.id,
        work,
        dueAt: now + backoffMs(this.config.bulkDeleteBackoffMs, work.attempts),
      })),
    });
  }
}

function refusedOf({ recordingId, work, verdict }: Judged): Failed[] {
  if (verdict.do !== 'fail') return [];
  const { code, message } = verdict;
  return [{ recordingId, code, message, attempts: work.attempts + 1, unlessClaimed: true }];
}

function claimedOf(judged: readonly Judged[], what: 'confirm' | 'delete'): Claimed[] {
  return judged.flatMap(({ recordingId, verdict }) =>
    verdict.do === what ? [{ id: recordingId as RecordingId, ...verdict.claim }] : [],
  );
}

/** `hasMedia` null: it is not known. */
function failureOf(
  { claimed: { id }, why }: NotDeleted,
  { attempts }: Work,
  hasMedia: boolean | null,
): Failed {
  const message =
    hasMedia === true
      ? `the media of recording ${id} is not deleted: ${why}; nothing of it was touched`
      : hasMedia === false
        ? `the media of recording ${id} is deleted, its record is not yet: ${why}; it is tried again until it is`
        : `recording ${id} is not deleted: ${why}; it is tried again until the storage answers`;
  return { recordingId: id, code: 'STORAGE_UNAVAILABLE', message, attempts };
}

/** Whoever asked could see all of this room and may delete, which includes to stop. */
function actorFor({ requestedBy }: BulkDeletionSeen): Actor {
  return { ...requestedBy, role: 'ADMIN', rooms: null, mayDelete: true };
}
