import { TallyError } from '../../../src/kernel/errors.js';
import type { RecordingId, RoomId } from '../../../src/kernel/ids.js';
import {
  type RecordingStatus,
  type StoredRecording,
  visiblePart,
} from '../../../src/recordings/domain/recording.js';
import { indexKeys, roomScope } from '../../../src/recordings/store/index-entries.js';
import { isUnsettled } from '../../../src/recordings/domain/slot.js';
import type { LoggedEvent } from '../../../src/recordings/events/event-log.port.js';
import { formatOutboxEntry, parseOutboxEntry } from '../../../src/recordings/store/outbox-entries.js';
import { changesBetween } from '../../../src/recordings/store/history.js';
import type { LogPosition } from '../../../src/recordings/store/log-position.js';
import {
  isBefore,
  matches,
  type RecordingPage,
  type RecordingQuery,
  toItem,
} from '../../../src/recordings/store/recording-query.js';
import {
  type Commit,
  type CommitResult,
  type OutboxEntry,
  type HistoryEntry,
  KEY_USE_MS,
  type KeyUse,
  RecordingStore,
  type RecordingWithHistory,
} from '../../../src/recordings/store/recording.store.js';
import type { Incarnation } from './incarnation.js';
import type { SimRedis, Table } from './sim-redis.js';
import type { Belonging, StoredRoom } from '../../../src/rooms/store/room.store.js';

export interface SimRow {
  readonly doc: StoredRecording;
  readonly history: readonly HistoryEntry[];
  /** Of the commit that wrote it, and of the one that made it; none of either where it was restored. */
  readonly token?: string;
  readonly created?: string;
}

/** What the commit script keeps: all of it changes in one step. */
export class RecordingTables {
  readonly rows;
  readonly deleted;
  readonly slots;
  readonly unsettled;
  readonly outbox;
  readonly keys;
  readonly events;
  readonly meta;
  private lastMs = 0;
  private sequence = 0;
  /** Whoever watches what is committed, and wakes who waits for events. */
  readonly committed: ((before: StoredRecording | null, next: StoredRecording, cause: string) => void)[] = [];

  constructor(
    readonly redis: SimRedis,
    readonly rooms: Table<StoredRoom>,
  ) {
    this.rows = redis.table<SimRow>();
    this.deleted = redis.table<number>();
    this.slots = redis.table<{ readonly recording: RecordingId; readonly since: number }>();
    this.unsettled = redis.table<true>();
    this.outbox = redis.table<number>();
    this.keys = redis.table<KeyUse & { readonly until: number }>();
    this.events = redis.table<LoggedEvent>();
    this.meta = redis.table<string>();
  }

  get epoch(): string {
    const epoch = this.meta.get('epoch');
    if (epoch === undefined) throw new TallyError('REDIS_UNAVAILABLE', 'what Redis held is being rebuilt');
    return epoch;
  }

  /** As XADD names it: later than every one before it. */
  nextEventId(): string {
    const now = this.redis.now();
    this.sequence = now > this.lastMs ? 0 : this.sequence + 1;
    this.lastMs = Math.max(now, this.lastMs);
    return `${this.lastMs}-${this.sequence}`;
  }

  lastEventId(): string {
    return this.lastMs === 0 ? '0-0' : `${this.lastMs}-${this.sequence}`;
  }
}

/** The recording store of one instance over the shared tables, with the semantics of the commit script. */
export class SimRecordingStore extends RecordingStore {
  constructor(
    private readonly tables: RecordingTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  get(id: RecordingId): Promise<StoredRecording | null> {
    return this.read(`get ${id.slice(-4)}`, () => this.tables.rows.get(id)?.doc ?? null);
  }

  isListed(id: RecordingId): Promise<boolean> {
    return this.read(`is ${id.slice(-4)} listed`, () => {
      const doc = this.tables.rows.get(id)?.doc;
      return doc !== undefined && !doc.upkeep.deleted;
    });
  }

  withHistory(id: RecordingId): Promise<RecordingWithHistory | null> {
    return this.read(`get ${id.slice(-4)} with its history`, () => {
      const row = this.tables.rows.get(id);
      return row === undefined ? null : { recording: row.doc, history: row.history };
    });
  }

  commit(step: Commit): Promise<CommitResult> {
    const { id, status, version, rev } = step.next;
    // As the client sends it: what is sent again is the same to the last byte.
    const now = this.of.clock.now();
    return this.of.pass(`commit ${id.slice(-4)} ${status} v${version} r${rev}`, () =>
      this.tables.redis.command(() => commitStep(this.tables, step, now)),
    );
  }

  forgetDeleted(before: number): Promise<void> {
    return this.read('forget deleted', () => {
      for (const [id, at] of [...this.tables.deleted.entries()])
        if (at < before) this.tables.deleted.delete(id);
    });
  }

  wasDeleted(id: RecordingId): Promise<boolean> {
    return this.read('was it deleted', () => this.tables.deleted.has(id));
  }

  page(query: RecordingQuery): Promise<RecordingPage> {
    return this.read('page', () => pageOf(this.tables, query));
  }

  history(id: RecordingId): Promise<HistoryEntry[]> {
    return this.read('history', () => [...(this.tables.rows.get(id)?.history ?? [])]);
  }

  slotHolder(room: RoomId): Promise<RecordingId | null> {
    return this.read(`slot of ${room}`, () => this.tables.slots.get(room)?.recording ?? null);
  }

  belongings(room: RoomId, statuses: readonly RecordingStatus[]): Belonging[] {
    return statuses.map((status) => indexKeys.requested(roomScope(room), status) as Belonging);
  }

  countInRoom(room: RoomId): Promise<number> {
    return this.read('count', () => {
      const rows = [...this.tables.rows.values()].filter(({ doc }) => doc.roomId === room);
      return rows.filter(({ doc }) => !doc.upkeep.deleted).length;
    });
  }

  unsettled(after: RecordingId | null, limit: number): Promise<RecordingId[]> {
    return this.read('unsettled', () => {
      const ids = this.tables.unsettled.keys().sort() as RecordingId[];
      return ids.filter((id) => after === null || id > after).slice(0, limit);
    });
  }

  isKeptUnsettled(id: RecordingId): Promise<boolean> {
    return this.read('whether it is unsettled', () => this.tables.unsettled.has(id));
  }

  keepUnsettled({ id, rev }: Pick<StoredRecording, 'id' | 'rev'>): Promise<boolean> {
    return this.command(`keep ${id} unsettled`, () => {
      void this.tables.epoch;
      if (this.tables.rows.get(id)?.doc.rev !== rev) return false;
      this.tables.unsettled.set(id, true);
      return true;
    });
  }

  keyUse(caller: string, key: string): Promise<KeyUse | null> {
    return this.read('key use', () => usedKey(this.tables, caller, key));
  }

  outbox(olderThanMs: number, limit: number, skip = 0): Promise<OutboxEntry[]> {
    const until = this.of.clock.now() - olderThanMs;
    return this.command('filed effects', () =>
      [...this.tables.outbox.entries()]
        .filter(([, at]) => at <= until)
        .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
        .slice(skip, skip + limit)
        .map(([entry]) => parseOutboxEntry(entry)),
    );
  }

  ack(entries: readonly string[]): Promise<void> {
    if (entries.length === 0) return Promise.resolve();
    return this.command('take off', () => {
      for (const entry of entries) this.tables.outbox.delete(entry);
    });
  }

  private read<T>(what: string, question: () => T): Promise<T> {
    return this.command(what, () => {
      void this.tables.epoch;
      return question();
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.tables.redis.command(op));
  }
}

function usedKey(tables: RecordingTables, caller: string, key: string): KeyUse | null {
  const use = tables.keys.get(`${caller}\n${key}`);
  if (use === undefined || use.until <= tables.redis.now()) return null;
  return { input: use.input, recordingId: use.recordingId };
}

/** The commit script, line by line. */
function commitStep(tables: RecordingTables, step: Commit, now: number): CommitResult {
  const { before, next, event, cause, at, effects, idempotency } = step;
  const { epoch } = tables;
  const row = tables.rows.get(next.id);
  const again = sentAgain(row, step, tables.deleted.get(step.next.id) === now);
  if (again) return again;
  if (before === null) {
    const used = idempotency && usedKey(tables, idempotency.caller, idempotency.key);
    if (used) return { kind: 'key-used', use: used };
    if (row || tables.deleted.has(next.id)) return { kind: 'moved-on' };
    if (step.inRoom && !tables.rooms.has(next.roomId)) return { kind: 'room-gone' };
    const holder = tables.slots.get(next.roomId)?.recording;
    if (holder !== undefined) return { kind: 'slot-taken', by: holder };
    if (idempotency) {
      const { caller, key, input } = idempotency;
      const until = tables.redis.now() + KEY_USE_MS;
      tables.keys.set(`${caller}\n${key}`, { input, recordingId: next.id, until });
    }
  } else if (row?.doc.rev !== before.rev) {
    return { kind: 'moved-on' };
  }
  moveSlot(tables, step, now);
  const position = event === null ? null : { epoch, id: tables.nextEventId() };
  const history = [...(row?.history ?? [])];
  if (event !== null && position !== null) {
    tables.events.set(position.id, { ...event, position, at, cause, recording: visiblePart(next) });
    const changes = changesBetween(before, next);
    history.push({ ...event, position, version: next.version, at, cause, changes });
  }
  const unsettled = isUnsettled(next);
  if (next.upkeep.deleted && !unsettled) {
    tables.rows.delete(next.id);
    tables.deleted.set(next.id, now);
  } else {
    const created = before === null ? step.token : row?.created;
    tables.rows.set(next.id, { doc: next, history, token: step.token, ...(created && { created }) });
  }
  if (unsettled) tables.unsettled.set(next.id, true);
  else tables.unsettled.delete(next.id);
  effects.forEach((effect, i) => tables.outbox.set(formatOutboxEntry(next, effect, i), now));
  for (const tell of tables.committed) tell(before, next, cause);
  return { kind: 'done', position };
}

/** Null: this commit was not carried out yet, or others have written since. */
function sentAgain(
  row: SimRow | undefined,
  { token, before, next, event }: Commit,
  deletedNow: boolean,
): CommitResult | null {
  if (row === undefined)
    return next.upkeep.deleted && !isUnsettled(next) && deletedNow ? { kind: 'done', position: null } : null;
  if (row.token === token && row.doc.rev === next.rev)
    return { kind: 'done', position: event === null ? null : row.history.at(-1)!.position };
  const first = row.history[0]?.position ?? null;
  return before === null && row.created === token ? { kind: 'done', position: first } : null;
}

function moveSlot(tables: RecordingTables, { before, next }: Commit, now: number): void {
  const had = before?.upkeep.holdsSlot ?? false;
  const has = next.upkeep.holdsSlot;
  if (has && !had) tables.slots.set(next.roomId, { recording: next.id, since: now });
  if (!has && had && tables.slots.get(next.roomId)?.recording === next.id) tables.slots.delete(next.roomId);
}

export function positionOf(tables: RecordingTables): LogPosition {
  return { epoch: tables.epoch, id: tables.lastEventId() };
}

function pageOf(tables: RecordingTables, query: RecordingQuery): RecordingPage {
  const { after, first } = query;
  const items = [...tables.rows.values()]
    .filter(({ doc }) => matches(doc, query))
    .map(({ doc }) => toItem(doc, query))
    .sort((a, b) => (isBefore(a.cursor, b.cursor, query) ? -1 : 1));
  const rest = after === null ? items : items.filter(({ cursor }) => isBefore(after, cursor, query));
  const page = rest.slice(0, first);
  return {
    items: page,
    hasNextPage: rest.length > first,
    endCursor: page.at(-1)?.cursor ?? null,
    total: items.length,
    position: positionOf(tables),
  };
}
