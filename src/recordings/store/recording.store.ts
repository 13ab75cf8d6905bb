import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { Effect } from '../domain/facts.js';
import type { Belonging } from '../../rooms/store/room.store.js';
import type { Recording, RecordingStatus, StoredRecording } from '../domain/recording.js';
import type { EventMade } from '../domain/recording.machine.js';
import type { LogPosition } from './log-position.js';
import type { RecordingPage, RecordingQuery } from './recording-query.js';

/** One step of one recording: row, indexes, room slot, event and effects, all or nothing. */
export interface Commit {
  /** Unlike that of any other commit: one that is sent again, because its answer was lost, is answered with what it did. */
  readonly token: string;
  /** Null: the recording is new and takes its room's slot. */
  readonly before: StoredRecording | null;
  readonly next: StoredRecording;
  readonly event: EventMade | null;
  readonly cause: string;
  readonly effects: readonly Effect[];
  readonly at: number;
  readonly idempotency?: { readonly caller: string; readonly key: string; readonly input: string };
  /** Of a new recording: it is stored only while its room is there. */
  readonly inRoom?: boolean;
}

export type CommitResult =
  | { readonly kind: 'done'; readonly position: LogPosition | null }
  /** Somebody else wrote it in between: read again. */
  | { readonly kind: 'moved-on' }
  | { readonly kind: 'slot-taken'; readonly by: RecordingId }
  | { readonly kind: 'room-gone' }
  | { readonly kind: 'key-used'; readonly use: KeyUse };

/** How long an idempotency key is kept, by the contract. */
export const KEY_USE_MS = 86_400_000;

/** What an idempotency key was used for. */
export interface KeyUse {
  readonly input: string;
  readonly recordingId: RecordingId;
}

/** An effect of a commit whose job nobody has confirmed to be in the queue yet. */
export interface OutboxEntry {
  /** As it is stored; given back to acknowledge it. */
  readonly entry: string;
  readonly recording: EffectSubject;
  readonly effect: Effect;
}

/** What a job has to know of a recording that may be gone by the time it runs. */
export interface EffectSubject {
  readonly id: RecordingId;
  readonly roomId: RoomId;
  readonly status: Recording['status'];
  readonly version: number;
  readonly error: string | null;
}

/** One past change: what it changed, not the whole recording; folded from the first on, it gives the recording as each left it. */
export interface HistoryEntry {
  readonly position: LogPosition;
  readonly version: number;
  readonly type: EventMade['type'];
  readonly previousStatus: EventMade['previousStatus'];
  readonly at: number;
  readonly cause: string;
  readonly changes: Partial<Recording>;
}

export interface RecordingWithHistory {
  readonly recording: StoredRecording;
  readonly history: readonly HistoryEntry[];
}

/** Rows by id. Every method throws REDIS_UNAVAILABLE when it could not ask, also while what was lost is not back yet. */
export abstract class RecordingStore {
  /** Deleted ones too, as long as an egress of theirs may still run. */
  abstract get(id: RecordingId): Promise<StoredRecording | null>;
  /** Whether a list names it: of a recording that `get` does not find, that its row is lost and it was not deleted. */
  abstract isListed(id: RecordingId): Promise<boolean>;
  /** Whether it was deleted, as long as that is remembered: until somebody has seen that the bucket has nothing of it, two days at least. */
  abstract wasDeleted(id: RecordingId): Promise<boolean>;
  /** Deletions that ended before this instant, in ms, need not be remembered any more. */
  abstract forgetDeleted(before: number): Promise<void>;
  /** Safe to send again: the same step is carried out once and answered alike. */
  abstract commit(step: Commit): Promise<CommitResult>;
  abstract page(query: RecordingQuery): Promise<RecordingPage>;
  abstract history(id: RecordingId): Promise<readonly HistoryEntry[]>;
  /** Both as of one moment; null: as of `get`. */
  abstract withHistory(id: RecordingId): Promise<RecordingWithHistory | null>;
  /** The recording that holds the room, in progress or not. */
  abstract slotHolder(room: RoomId): Promise<RecordingId | null>;
  abstract countInRoom(room: RoomId): Promise<number>;
  /** Recordings of the room in one of these statuses, for whoever removes the room only where it has none. */
  abstract belongings(room: RoomId, statuses: readonly RecordingStatus[]): Belonging[];
  /** In the order of their ids, after the given one: recordings that somebody has to come back to. */
  abstract unsettled(after: RecordingId | null, limit: number): Promise<RecordingId[]>;
  /** Whether `unsettled` has it. */
  abstract isKeptUnsettled(id: RecordingId): Promise<boolean>;
  /** For one that is unsettled by its row at this revision; false: it has gone on since, and nothing is changed. */
  abstract keepUnsettled(recording: Pick<StoredRecording, 'id' | 'rev'>): Promise<boolean>;
  abstract keyUse(caller: string, key: string): Promise<KeyUse | null>;
  /** Entries older than that, oldest first, without the first `skip` of them. */
  abstract outbox(olderThanMs: number, limit: number, skip?: number): Promise<OutboxEntry[]>;
  abstract ack(entries: readonly string[]): Promise<void>;
}
