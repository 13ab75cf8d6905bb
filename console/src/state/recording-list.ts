import { batch, computed, signal } from '@preact/signals';
import { isInProgress, type Recording, type RecordingEvent } from '../api/contract.js';
import { RECORDING_IDS, RECORDINGS } from '../api/documents.js';
import { messageOf } from '../api/graphql.js';
import { pause } from '../api/pause.js';
import type { Desk } from './desk.js';
import { isNewestFirst, type ListQuery, toFilter } from './list-query.js';

const PAGE = 100;
const SETTLE_MS = 1_000;
/** As many as one bulk deletion takes. */
export const MOST_SELECTED = 1_000;

/** One list of recordings, as its query says: read page by page, kept right by events, never moving under the pointer. */
export class RecordingList {
  readonly rows = signal<readonly Recording[] | null>(null);
  readonly total = signal<number | null>(null);
  readonly hasMore = signal(false);
  readonly problem = signal<string | null>(null);
  readonly deleted = signal<ReadonlySet<string>>(new Set());
  readonly selected = signal<ReadonlySet<string>>(new Set());
  /** Rows at the top that wait until nobody points at the list, or asks for them. */
  readonly waiting = signal<readonly Recording[]>([]);
  /** Somebody is at work in the list: nothing may move. */
  readonly isHeld = signal(false);
  readonly selectedRows = computed(() =>
    (this.rows.value ?? []).filter(({ id }) => this.selected.value.has(id)),
  );
  /** Of those that were read and have ended. */
  readonly areAllSelected = computed(() => {
    const { size } = this.selected.value;
    // Told of thousands of rows without a look at them, at each step of a scroll.
    if (size === 0) return false;
    const ended = (this.rows.value ?? []).filter(hasEnded);
    return ended.length > 0 && ended.every(({ id }) => this.selected.value.has(id));
  });

  private endCursor: string | null = null;
  private loading = false;
  private closed = false;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private readonly stopListening: () => void;

  constructor(
    private readonly desk: Desk,
    readonly query: ListQuery,
  ) {
    this.stopListening = desk.on((event) => this.take(event));
    void this.open();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.settle);
    this.stopListening();
  }

  private async open(attempt = 0): Promise<void> {
    try {
      await this.readFirst();
    } catch (error) {
      if (this.closed) return;
      this.problem.value = messageOf(error);
      await pause(attempt);
      if (!this.closed) void this.open(attempt + 1);
    }
  }

  private async readFirst(): Promise<void> {
    const { nodes, pageInfo, totalCount } = await this.page(null);
    if (this.closed) return;
    batch(() => {
      this.rows.value = nodes;
      this.total.value = totalCount;
      this.hasMore.value = pageInfo.hasNextPage;
      this.waiting.value = [];
      this.problem.value = null;
    });
    this.endCursor = pageInfo.endCursor;
  }

  async more(): Promise<void> {
    if (this.loading || !this.hasMore.value) return;
    this.loading = true;
    try {
      const { nodes, pageInfo } = await this.page(this.endCursor);
      if (this.closed) return;
      const rows = this.rows.value ?? [];
      const fresh = new Map(nodes.map((node) => [node.id, node]));
      for (const { id } of rows) fresh.delete(id);
      batch(() => {
        this.rows.value = [...rows, ...fresh.values()];
        this.hasMore.value = pageInfo.hasNextPage;
        this.problem.value = null;
      });
      this.endCursor = pageInfo.endCursor;
    } catch (error) {
      this.problem.value = messageOf(error);
    } finally {
      this.loading = false;
    }
  }

  hold(isHeld: boolean): void {
    this.isHeld.value = isHeld;
    if (!isHeld && (this.waiting.value.length > 0 || this.deleted.value.size > 0)) this.showWaiting();
  }

  /** Lets in what waits, and drops what was deleted. */
  showWaiting(): void {
    const gone = this.deleted.value;
    batch(() => {
      this.rows.value = [...this.waiting.value, ...(this.rows.value ?? [])].filter(({ id }) => !gone.has(id));
      this.waiting.value = [];
      this.deleted.value = new Set();
    });
  }

  private take({ type, recording }: RecordingEvent): void {
    batch(() => {
      if (type === 'DELETED') this.drop(recording.id);
      else this.rows.value = replaced(this.rows.value, recording);
      this.waiting.value = replaced(this.waiting.value, recording) ?? [];
    });
    // Whether it is of this list only the server knows, which is asked once for many events.
    this.settle ??= setTimeout(() => void this.lookAtTop(), SETTLE_MS);
  }

  private drop(id: string): void {
    this.deleted.value = new Set(this.deleted.value).add(id);
    this.select([id], false);
    if (!this.isHeld.value) this.showWaiting();
  }

  private async lookAtTop(): Promise<void> {
    this.settle = undefined;
    if (this.rows.value === null) return;
    try {
      const { nodes, totalCount } = await this.page(null);
      if (this.closed) return;
      this.total.value = totalCount;
      if (isNewestFirst(this.query)) await this.takeTop(nodes);
    } catch (error) {
      this.problem.value = messageOf(error);
    }
  }

  /** What is new at the top, in front of what is known; where a whole page is new, the list is read anew. */
  private async takeTop(nodes: readonly Recording[]): Promise<void> {
    const known = new Set([...(this.rows.value ?? []), ...this.waiting.value].map(({ id }) => id));
    const fresh = nodes.filter(({ id }) => !known.has(id) && !this.deleted.value.has(id));
    if (fresh.length === 0) return;
    if (fresh.length === PAGE && known.size > 0 && !this.isHeld.value) return this.readFirst();
    this.waiting.value = [...fresh, ...this.waiting.value];
    if (!this.isHeld.value) this.showWaiting();
  }

  select(ids: readonly string[], isSelected: boolean): void {
    const selected = new Set(this.selected.value);
    for (const id of ids) {
      if (!isSelected) selected.delete(id);
      else if (selected.size < MOST_SELECTED) selected.add(id);
    }
    this.selected.value = selected;
  }

  /** Those that were read and have ended. */
  selectShown(isSelected: boolean): void {
    const ended = (this.rows.value ?? []).filter(hasEnded);
    this.select(
      ended.map(({ id }) => id),
      isSelected,
    );
  }

  /** Everything that matches and has ended, at most as many as one deletion takes. */
  async selectAll(): Promise<void> {
    const found: string[] = [];
    let after: string | null = null;
    do {
      const answer: Awaited<ReturnType<typeof this.ids>> = await this.ids(after);
      found.push(...answer.nodes.filter(hasEnded).map(({ id }) => id));
      after = answer.pageInfo.hasNextPage ? answer.pageInfo.endCursor : null;
    } while (after !== null && found.length < MOST_SELECTED && !this.closed);
    this.selected.value = new Set(found.slice(0, MOST_SELECTED));
  }

  private async ids(after: string | null) {
    return (await this.desk.api.ask(RECORDING_IDS, { ...this.variables(), after })).recordings;
  }

  private async page(after: string | null) {
    return (await this.desk.api.ask(RECORDINGS, { ...this.variables(), first: PAGE, after })).recordings;
  }

  private variables() {
    return { filter: toFilter(this.query, Date.now()), sort: this.query.sort };
  }
}

function hasEnded(recording: Pick<Recording, 'status'>): boolean {
  return !isInProgress(recording);
}

/** A newer view of a row takes its place. */
function replaced(rows: readonly Recording[] | null, seen: Recording): readonly Recording[] | null {
  const at = rows?.findIndex(({ id, version }) => id === seen.id && version < seen.version) ?? -1;
  return rows === null || at < 0 ? rows : rows.with(at, seen);
}
