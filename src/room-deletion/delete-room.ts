import { Injectable } from '@nestjs/common';
import { requireRight, requireRoomVisible, roomNotFound } from '../auth/rights.js';
import { type BulkDeletionSeen, LEFT_TO_THE_JOB } from '../bulk-deletions/domain/bulk-deletion.js';
import { BulkDeletionStore } from '../bulk-deletions/store/bulk-deletion.store.js';
import { RequestBulkDeletion } from '../bulk-deletions/use-cases/request-bulk-deletion.js';
import type { Actor } from '../kernel/actor.js';
import { TallyError } from '../kernel/errors.js';
import type { RoomId } from '../kernel/ids.js';
import { isFinal, RECORDING_STATUSES } from '../recordings/domain/recording.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { FindRecordings } from '../recordings/use-cases/find-recordings.js';
import type { Room } from '../rooms/domain/room.js';
import { RoomStore } from '../rooms/store/room.store.js';
import { RoomWriter } from '../rooms/write/room.writer.js';

export type RecordingsPolicy = 'FAIL' | 'KEEP' | 'DELETE';

export interface DeletedRoom {
  readonly room: Room;
  /** What deletes its recordings; null where none is deleted. */
  readonly deletion: BulkDeletionSeen | null;
}

const MAX_TRIES = 5;

/**
 * Deletes a room, in one step with what has to be true of its recordings: a start looks for its room in the step in which it is
 * stored, so either the start sees that the room is gone, or the deletion sees the recording. For ADMIN.
 */
@Injectable()
export class DeleteRoom {
  constructor(
    private readonly rooms: RoomStore,
    private readonly writer: RoomWriter,
    private readonly recordings: FindRecordings,
    private readonly store: RecordingStore,
    private readonly bulkDeletions: BulkDeletionStore,
    private readonly request: RequestBulkDeletion,
  ) {}

  /** Throws ROOM_NOT_FOUND, FORBIDDEN, ROOM_HAS_RECORDINGS, ROOM_HAS_ACTIVE_RECORDING, STORAGE_UNAVAILABLE. */
  async execute(id: string, policy: RecordingsPolicy, actor: Actor): Promise<DeletedRoom> {
    const roomId = requireRoomVisible(actor, id);
    if ((await this.rooms.get(roomId)) === null) throw roomNotFound(id);
    requireRight(actor, 'administer', roomId, 'delete rooms');
    return policy === 'DELETE' ? this.withRecordings(roomId, actor) : this.alone(roomId, policy);
  }

  private async withRecordings(roomId: RoomId, actor: Actor): Promise<DeletedRoom> {
    const bulk = await this.request.draftForDeletedRoom(roomId, actor);
    const room = await this.writer.remove(roomId, {
      also: this.bulkDeletions.creation(bulk, LEFT_TO_THE_JOB),
    });
    if (room === 'held') throw new Error(`nothing can hold room ${roomId}`);
    return { room, deletion: await this.request.dispatch(bulk.id) };
  }

  private async alone(roomId: RoomId, policy: 'FAIL' | 'KEEP'): Promise<DeletedRoom> {
    const statuses = RECORDING_STATUSES.filter((status) => policy === 'FAIL' || !isFinal(status));
    const unless = this.store.belongings(roomId, statuses);
    for (let tried = 0; tried < MAX_TRIES; tried += 1) {
      const room = await this.writer.remove(roomId, { unless });
      if (room !== 'held') return { room, deletion: null };
      const active = await this.recordings.activeIn(roomId);
      if (active !== null) throw hasActive(roomId, active.id);
      if (policy === 'FAIL') throw hasRecordings(roomId);
      // What held it is over by now.
    }
    throw hasRecordings(roomId);
  }
}

function hasActive(roomId: RoomId, recordingId: string): TallyError {
  return new TallyError(
    'ROOM_HAS_ACTIVE_RECORDING',
    `recording ${recordingId} is in progress in room ${roomId}; stop it first, or delete the room with recordings: DELETE`,
    { roomId, recordingId },
  );
}

function hasRecordings(roomId: RoomId): TallyError {
  return new TallyError(
    'ROOM_HAS_RECORDINGS',
    `room ${roomId} has recordings; say with recordings: KEEP or DELETE what is to become of them`,
    { roomId },
  );
}
