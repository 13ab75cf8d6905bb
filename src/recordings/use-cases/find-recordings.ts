import { Injectable } from '@nestjs/common';
import { may, recordingNotFound, requireRecordingId, requireRecordingVisible } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { invalidCursor } from '../../kernel/cursor.js';
import { TallyError } from '../../kernel/errors.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { type Coverage, coverageOf } from '../domain/coverage.js';
import { isFinal, type Recording, type StoredRecording } from '../domain/recording.js';
import { foldHistory } from '../store/history.js';
import { MissingRows } from '../store/missing-rows.port.js';
import type { RecordingPage, RecordingQuery } from '../store/recording-query.js';
import type { LogPosition } from '../store/log-position.js';
import { type HistoryEntry, RecordingStore } from '../store/recording.store.js';

export interface HistoryPage {
  readonly events: readonly { readonly entry: HistoryEntry; readonly recording: Recording }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** A meeting whose recorder was lost more often than this has no account of it. */
const LONGEST_CHAIN = 100;
/** How long a caller waits for a row that is being restored. */
const RESTORED_WITHIN_MS = 7_000;
const LOOK_EVERY_MS = 200;

/** What a caller may read: a recording it may not see is not found, like one that doesn't exist. */
@Injectable()
export class FindRecordings {
  constructor(
    private readonly store: RecordingStore,
    private readonly missing: MissingRows,
    private readonly clock: Clock,
  ) {}

  /** `media-token`: whoever holds a token for this recording. */
  async one(id: string, actor: Actor | 'media-token'): Promise<StoredRecording> {
    const recording = await this.stored(requireRecordingId(id));
    if (actor !== 'media-token') return requireRecordingVisible(actor, id, recording);
    if (recording === null) throw recordingNotFound(id);
    return recording;
  }

  /** Null: deleted, or never there. Throws REDIS_UNAVAILABLE where its row is lost and not back yet. */
  async stored(id: RecordingId): Promise<StoredRecording | null> {
    const recording = (await this.store.get(id)) ?? (await this.restored(id));
    return recording?.upkeep.deleted ? null : recording;
  }

  /** Of a recording whose row is gone while lists name it: the row, once its record was found in the bucket. */
  private async restored(id: RecordingId): Promise<StoredRecording | null> {
    if (!(await this.store.isListed(id))) return null;
    this.missing.report([id]);
    const until = this.clock.now() + RESTORED_WITHIN_MS;
    while (this.missing.isAwaited(id)) {
      if (this.clock.now() >= until) throw beingRestored(id);
      await this.clock.sleep(LOOK_EVERY_MS);
      const recording = await this.store.get(id);
      if (recording !== null) return recording;
    }
    return this.store.get(id);
  }

  /** Of the whole chain of recordings that this one is part of; null where one of them is gone, or it is longer than anybody asks about. */
  async coverage(id: RecordingId): Promise<Coverage | null> {
    const one = await this.stored(id);
    if (one === null) return null;
    const chain = [one];
    for (let first = one; first.continues !== null;) {
      const before = await this.stored(first.continues);
      if (before === null || chain.length >= LONGEST_CHAIN) return null;
      chain.unshift(before);
      first = before;
    }
    for (let last = one; last.continuedBy !== null;) {
      const next = await this.stored(last.continuedBy);
      if (next === null || chain.length >= LONGEST_CHAIN) return null;
      chain.push(next);
      last = next;
    }
    return coverageOf(chain);
  }

  /** `roomId` undefined: every room that the caller may see; null: one that can't exist. */
  async page(
    query: Omit<RecordingQuery, 'rooms'>,
    roomId: RoomId | null | undefined,
    actor: Actor,
  ): Promise<RecordingPage> {
    return this.store.page({ ...query, rooms: visibleRooms(roomId, actor) });
  }

  /** The one in progress; a slot that is held after the end is none. */
  async activeIn(room: RoomId): Promise<StoredRecording | null> {
    const holder = await this.store.slotHolder(room);
    const recording = holder === null ? null : await this.stored(holder);
    return recording !== null && !isFinal(recording.status) ? recording : null;
  }

  /** Oldest first; `after` is the position of an event of this history. */
  async history(id: RecordingId, first: number, after: LogPosition | null): Promise<HistoryPage> {
    const all = foldHistory(await this.store.history(id));
    const before =
      after === null
        ? -1
        : all.findIndex(
            ({ entry }) => entry.position.id === after.id && entry.position.epoch === after.epoch,
          );
    if (after !== null && before === -1) throw invalidCursor();
    const from = before + 1;
    return {
      events: all.slice(from, from + first),
      hasNextPage: all.length > from + first,
      hasPreviousPage: from > 0,
    };
  }
}

/** Null: all there are. */
function visibleRooms(roomId: RoomId | null | undefined, actor: Actor): readonly RoomId[] | null {
  if (roomId === undefined) return actor.rooms;
  return roomId !== null && may(actor, 'read', roomId) ? [roomId] : [];
}

function beingRestored(id: RecordingId): TallyError {
  return new TallyError(
    'REDIS_UNAVAILABLE',
    `Redis has lost recording ${id}; it is being restored from the storage, try again in a moment`,
    { recordingId: id },
  );
}
