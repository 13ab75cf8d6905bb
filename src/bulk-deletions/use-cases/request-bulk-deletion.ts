import { Injectable, Logger } from '@nestjs/common';
import { requireRight, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { badInput, isTallyError } from '../../kernel/errors.js';
import { type BulkDeletionId, newBulkDeletionId, type RoomId } from '../../kernel/ids.js';
import { JobQueue } from '../../queue/define-job.js';
import { RecordingStore } from '../../recordings/store/recording.store.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import type { BulkDeletion, BulkDeletionSeen } from '../domain/bulk-deletion.js';
import { runBulkDeletion } from '../jobs/run-bulk-deletion.job.js';
import { BulkDeletionStore } from '../store/bulk-deletion.store.js';

const MOST_IDS = 1_000;

/** Stores what is to be deleted and leaves it to a job; whoever may not delete is told so at once. */
@Injectable()
export class RequestBulkDeletion {
  private readonly log = new Logger('BulkDeletions');

  constructor(
    private readonly store: BulkDeletionStore,
    private readonly recordings: RecordingStore,
    private readonly rooms: RoomStore,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Throws BAD_USER_INPUT, ROOM_NOT_FOUND for a room that the caller may not see, FORBIDDEN. */
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
    const bulk = this.draft({ scope: 'ids', roomId: room, dryRun, expected: named.length }, actor);
    await this.store.create(bulk, named);
    return this.dispatch(bulk.id);
  }

  /** A room that is gone may have kept recordings. Throws ROOM_NOT_FOUND where there is neither, FORBIDDEN. */
  async ofRoom(roomId: string, dryRun: boolean, actor: Actor): Promise<BulkDeletionSeen> {
    const room = requireRoomVisible(actor, roomId);
    const expected = await this.recordings.countInRoom(room);
    if (expected === 0 && (await this.rooms.get(room)) === null) throw roomNotFound(roomId);
    requireRight(actor, 'delete', room, 'delete recordings');
    const bulk = this.draft({ scope: 'room', roomId: room, dryRun, expected }, actor);
    await this.store.create(bulk, []);
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
