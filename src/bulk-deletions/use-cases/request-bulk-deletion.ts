import { Injectable, Logger } from '@nestjs/common';
import { RateLimits } from '../../auth/rate-limits.js';
import { requireRight, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { BOUNDS } from '../../kernel/bounds.js';
import { Clock } from '../../kernel/clock.js';
import { badInput, isTallyError, TallyError } from '../../kernel/errors.js';
import { type BulkDeletionId, newBulkDeletionId, parseRecordingId, type RoomId } from '../../kernel/ids.js';
import { JobQueue } from '../../queue/define-job.js';
import { RecordingStore } from '../../recordings/store/recording.store.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import {
  type BulkDeletion,
  type BulkDeletionFailure,
  type BulkDeletionSeen,
  isSettled,
  LEFT_TO_THE_JOB,
  NEW_WORK,
  type Opening,
} from '../domain/bulk-deletion.js';
import { verdictOn } from '../domain/verdict.js';
import { runBulkDeletion } from '../jobs/run-bulk-deletion.job.js';
import { BulkDeletionStore } from '../store/bulk-deletion.store.js';

const MOST_IDS = 1_000;
const TRY_AGAIN_S = 5;

/** Stores what is to be deleted and leaves it to a job; whoever may not delete is told so at once. */
@Injectable()
export class RequestBulkDeletion {
  private readonly log = new Logger('BulkDeletions');

  constructor(
    private readonly store: BulkDeletionStore,
    private readonly recordings: RecordingStore,
    private readonly rooms: RoomStore,
    private readonly jobs: JobQueue,
    private readonly limits: RateLimits,
    private readonly clock: Clock,
  ) {}

  /** Throws BAD_USER_INPUT, ROOM_NOT_FOUND for a room that the caller may not see, FORBIDDEN, RATE_LIMITED. */
  async ofRecordings(
    {
      ids,
      roomId,
      dryRun,
    }: { readonly ids: readonly string[]; readonly roomId: string | null; readonly dryRun: boolean },
    actor: Actor,
  ): Promise<BulkDeletionSeen> {
    const room = roomId === null ? null : requireRoomVisible(actor, roomId);
    requireRight(actor, 'delete', room ?? 'some-room', 'delete recordings');
    const named = [...new Set(ids)];
    if (named.length === 0 || named.length > MOST_IDS)
      throw badInput('ids', `must name 1 to ${MOST_IDS} recordings`);
    // As many reads as ids, so that it counts as more than one request.
    await this.limits.take('caller', actor.callerId, Math.ceil(named.length / BOUNDS.idsPerPoint));
    const bulk = this.draft({ scope: 'ids', roomId: room, dryRun, expected: named.length }, actor);
    const opening = await this.look(bulk, named);
    await this.create(bulk, opening);
    return isSettled(bulk, opening) ? this.stored(bulk.id) : this.dispatch(bulk.id);
  }

  /** What of it needs a job: nothing of a dry run, and nothing that the caller can't see. */
  private async look(bulk: BulkDeletion, named: readonly string[]): Promise<Opening> {
    const now = this.clock.now();
    const judged = await Promise.all(
      named.map(async (text) => {
        const id = parseRecordingId(text);
        const recording = id === null ? null : await this.recordings.get(id);
        const entry = { recordingId: text, work: NEW_WORK };
        return { text, verdict: verdictOn(bulk, entry, recording, now) };
      }),
    );
    const pending: string[] = [];
    const unseen: string[] = [];
    const deleted: string[] = [];
    const failed: BulkDeletionFailure[] = [];
    for (const { text, verdict } of judged) {
      if (verdict.do === 'fail' && verdict.code === 'RECORDING_NOT_FOUND') unseen.push(asShown(text));
      else if (!bulk.dryRun) pending.push(text);
      else if (verdict.do !== 'fail') deleted.push(text);
      else failed.push({ recordingId: text, code: verdict.code, message: verdict.message, attempts: 1 });
    }
    return { pending, unseen, deleted, failed };
  }

  /** Throws RATE_LIMITED. */
  private async create(bulk: BulkDeletion, opening: Opening): Promise<void> {
    if (await this.store.create(bulk, opening)) return;
    const most = BOUNDS.bulkDeletionsPerCaller;
    throw new TallyError(
      'RATE_LIMITED',
      `you have ${most} bulk deletions under way; ask again when some of them have finished`,
      { retryAfter: TRY_AGAIN_S },
    );
  }

  /** A room that is gone may have kept recordings. Throws ROOM_NOT_FOUND where there is neither, FORBIDDEN. */
  async ofRoom(roomId: string, dryRun: boolean, actor: Actor): Promise<BulkDeletionSeen> {
    const room = requireRoomVisible(actor, roomId);
    const expected = await this.recordings.countInRoom(room);
    if (expected === 0 && (await this.rooms.get(room)) === null) throw roomNotFound(roomId);
    requireRight(actor, 'delete', room, 'delete recordings');
    const bulk = this.draft({ scope: 'room', roomId: room, dryRun, expected }, actor);
    await this.create(bulk, LEFT_TO_THE_JOB);
    return this.dispatch(bulk.id);
  }

  /** Not stored yet: it is, in the step that removes the room. */
  async draftForDeletedRoom(roomId: RoomId, actor: Actor): Promise<BulkDeletion> {
    const expected = await this.recordings.countInRoom(roomId);
    return this.draft({ scope: 'room-deleted', roomId, dryRun: false, expected }, actor);
  }

  /** Has a stored one run. Where the queue can't be reached it is found by who looks for abandoned ones. */
  async dispatch(id: BulkDeletionId): Promise<BulkDeletionSeen> {
    try {
      await this.jobs.add(runBulkDeletion, { bulkDeletionId: id });
    } catch (error) {
      if (!isTallyError(error)) throw error;
      this.log.warn({
        message: 'a bulk deletion waits for the queue',
        bulkDeletionId: id,
        cause: error.message,
      });
    }
    return this.stored(id);
  }

  private async stored(id: BulkDeletionId): Promise<BulkDeletionSeen> {
    const stored = await this.store.get(id);
    if (stored === null) throw new Error(`bulk deletion ${id} was not stored`);
    return stored;
  }

  private draft(
    asked: Pick<BulkDeletion, 'scope' | 'roomId' | 'dryRun' | 'expected'>,
    { name, callerId, rooms }: Actor,
  ): BulkDeletion {
    const createdAt = this.clock.now();
    const id = newBulkDeletionId(createdAt);
    return { id, requestedBy: { name, callerId }, visibleRooms: rooms, createdAt, ...asked };
  }
}

/** What no id can be comes back shortened, and in characters that every client can read. */
function asShown(id: string): string {
  return Buffer.from(id.slice(0, BOUNDS.id)).toString();
}
