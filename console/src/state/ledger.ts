import type { Recording, RecordingEvent, RecordingPage, RecordingStatus } from '../api/contract.js';

export interface ListFilter {
  readonly roomId: string | null;
  /** Null: all. */
  readonly statuses: readonly RecordingStatus[] | null;
}

/** Everything this page knows of recordings. It holds more than the list shows: what rooms record, and what events told. */
export interface Ledger {
  readonly filter: ListFilter;
  readonly byId: ReadonlyMap<string, Recording>;
  readonly deleted: ReadonlySet<string>;
  /** The list is complete from now back to this instant; null: back to the first recording. */
  readonly listedBackTo: string | null;
  readonly endCursor: string | null;
  readonly total: number | null;
  /** Versions that the first page showed: what `total` had counted when it was read. */
  readonly countedAt: ReadonlyMap<string, number>;
}

export const EVERYTHING: ListFilter = { roomId: null, statuses: null };

/** A ledger that knows what `page`, the first of a list, shows. Ids that are known as deleted stay deleted. */
export function openLedger(
  filter: ListFilter,
  page: RecordingPage,
  deleted: ReadonlySet<string> = new Set(),
): Ledger {
  const countedAt = new Map(page.nodes.map((r) => [r.id, r.version]));
  const blank = { filter, byId: new Map(), deleted, listedBackTo: null, endCursor: null };
  return addPage({ ...blank, total: page.totalCount, countedAt }, page);
}

/** The total stays that of the first page: from there on the events count. */
export function addPage(ledger: Ledger, page: RecordingPage): Ledger {
  const last = page.nodes.at(-1);
  const more = page.pageInfo.hasNextPage && last !== undefined;
  return {
    ...page.nodes.reduce(addSeen, ledger),
    listedBackTo: more ? last.requestedAt : null,
    endCursor: more ? page.pageInfo.endCursor : null,
  };
}

/** Takes in a view of a recording unless a newer one is known: answers and events overtake each other. */
export function addSeen(ledger: Ledger, seen: Recording): Ledger {
  if (ledger.deleted.has(seen.id)) return ledger;
  const known = ledger.byId.get(seen.id);
  if (known && known.version >= seen.version) return ledger;
  return { ...ledger, byId: new Map(ledger.byId).set(seen.id, seen) };
}

export function addEvent(ledger: Ledger, event: RecordingEvent): Ledger {
  const { recording } = event;
  const counted = { ...ledger, total: ledger.total === null ? null : ledger.total + change(ledger, event) };
  if (event.type !== 'DELETED') return addSeen(counted, recording);
  const byId = new Map(ledger.byId);
  byId.delete(recording.id);
  return { ...counted, byId, deleted: new Set(ledger.deleted).add(recording.id) };
}

/** Forgets a recording that the server says is deleted; its event, which may come later, does the counting. */
export function dropDeleted(ledger: Ledger, id: string): Ledger {
  const byId = new Map(ledger.byId);
  byId.delete(id);
  return { ...ledger, byId };
}

/** What the list shows, newest first. An older one than the last page reached waits for its page, or the list had a gap. */
export function listed(ledger: Ledger): Recording[] {
  const { listedBackTo, filter } = ledger;
  return [...ledger.byId.values()]
    .filter((r) => matches(filter, r, r.status) && (listedBackTo === null || r.requestedAt >= listedBackTo))
    .sort((a, b) => compare(b.requestedAt, a.requestedAt) || compare(b.id, a.id));
}

/** What holds a room just now. */
export function inProgress(ledger: Ledger, roomId: string): Recording | null {
  for (const recording of ledger.byId.values()) {
    const { status } = recording;
    if (
      recording.roomId === roomId &&
      (status === 'STARTING' || status === 'ACTIVE' || status === 'ENDING')
    ) {
      return recording;
    }
  }
  return null;
}

/** Every event arrives once, so that its step into or out of the filter is the change of the total. */
function change(ledger: Ledger, { type, recording, previousStatus }: RecordingEvent): number {
  const { filter } = ledger;
  if ((ledger.countedAt.get(recording.id) ?? 0) >= recording.version) return 0;
  const before = type !== 'REQUESTED' && matches(filter, recording, previousStatus ?? recording.status);
  const after = type !== 'DELETED' && matches(filter, recording, recording.status);
  return Number(after) - Number(before);
}

function matches(filter: ListFilter, recording: Recording, status: RecordingStatus): boolean {
  return (
    (filter.roomId === null || filter.roomId === recording.roomId) &&
    (filter.statuses === null || filter.statuses.includes(status))
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
