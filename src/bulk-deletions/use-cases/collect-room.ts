import { Injectable } from '@nestjs/common';
import { RECORDING_STATUSES, type StoredRecording } from '../../recordings/domain/recording.js';
import type { PageCursor } from '../../recordings/store/recording-query.js';
import { RecordingStore } from '../../recordings/store/recording.store.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import type { BulkDeletionSeen } from '../domain/bulk-deletion.js';
import { BulkDeletionStore } from '../store/bulk-deletion.store.js';

const AT_ONCE = 1_000;

interface Found {
  readonly ids: readonly string[];
  /** Null: that was all. */
  readonly next: PageCursor | null;
}

/** Finds what a room has to lose: all that was requested before the deletion was; after that of the room itself, all there is. */
@Injectable()
export class CollectRoom {
  constructor(
    private readonly store: BulkDeletionStore,
    private readonly recordings: RecordingStore,
    private readonly rooms: RoomStore,
  ) {}

  /** The next ones, as many as a step takes. */
  async more(bulk: BulkDeletionSeen): Promise<void> {
    if (bulk.collected) return;
    const found = await this.page(bulk, toPageCursor(bulk.collectedTo));
    const collectedTo = found.next === null ? null : JSON.stringify(found.next);
    await this.store.advance(bulk.id, { attempt: 1, found: found.ids, collectedTo });
  }

  /** A start that was on its way when the room was looked through. False: none is left but what could not be deleted. */
  async missed(bulk: BulkDeletionSeen): Promise<boolean> {
    // A dry run takes nothing away, so all that it has seen is still there.
    if (bulk.scope === 'ids' || bulk.dryRun) return false;
    for (let next: PageCursor | null = null; ;) {
      const found: Found = await this.page(bulk, next);
      if ((await this.store.advance(bulk.id, { found: found.ids })) > 0) return true;
      if (found.next === null) return false;
      next = found.next;
    }
  }

  private async page(
    { roomId, scope, createdAt }: BulkDeletionSeen,
    after: PageCursor | null,
  ): Promise<Found> {
    if (roomId === null) return { ids: [], next: null };
    const { items, hasNextPage, endCursor } = await this.recordings.page({
      rooms: [roomId],
      statuses: RECORDING_STATUSES,
      requestedAfter: null,
      requestedBefore: scope === 'room' ? createdAt + 1 : null,
      labels: {},
      field: 'REQUESTED_AT',
      direction: 'ASC',
      first: AT_ONCE,
      after,
    });
    // Looked at after the page: whatever recordings a room that was made again has in it are younger than that room.
    const again = scope === 'room' ? null : await this.rooms.get(roomId);
    const isOld = (one: StoredRecording): boolean => again === null || one.requestedAt < again.createdAt;
    const ids = items
      .map(({ recording }) => recording)
      .filter(isOld)
      .map(({ id }) => id);
    return { ids, next: hasNextPage ? endCursor : null };
  }
}

function toPageCursor(text: string | null): PageCursor | null {
  return text === null ? null : (JSON.parse(text) as PageCursor);
}
