import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Recording, SortField } from '../../api/contract.js';
import { sortText } from '../../state/list-query.js';
import { change } from '../../state/place.js';
import type { RecordingList } from '../../state/recording-list.js';
import { Icon } from '../icon.js';
import { RecordingRow } from './recording-row.js';

const ROW_PX = 40;
const NARROW_ROW_PX = 64;
const NARROW = '(max-width: 52rem)';
const AROUND = 8;
/** The next page is asked for so many rows before the end is seen. */
const AHEAD = 40;

interface Props {
  list: RecordingList;
  onDelete: (recording: Recording) => void;
}

/** All rows that were read, of which only those in sight are in the document. */
export function RecordingsTable({ list, onDelete }: Props) {
  const rows = list.rows.value ?? [];
  const body = useRef<HTMLDivElement>(null);
  const { first, last, rowPx } = useWindow(body, rows.length);
  useEffect(() => {
    if (last >= rows.length - AHEAD) void list.more();
  }, [list, last, rows.length, list.hasMore.value]);
  useHold(list, body);
  if (rows.length === 0) return null;
  return (
    <div class="table" role="table" aria-label="Recordings" aria-rowcount={list.total.value ?? -1}>
      <Head list={list} />
      <div
        ref={body}
        role="rowgroup"
        class="rows"
        style={{ height: `${rows.length * rowPx}px` }}
        onKeyDown={moveByArrows}
      >
        <div class="window" role="presentation" style={{ transform: `translateY(${first * rowPx}px)` }}>
          {rows.slice(first, last).map((recording, n) => (
            <RecordingRow
              key={recording.id}
              list={list}
              recording={recording}
              index={first + n + 2}
              onDelete={() => onDelete(recording)}
            />
          ))}
        </div>
      </div>
      {list.hasMore.value && <p class="empty small">Loading more…</p>}
    </div>
  );
}

function Head({ list }: { list: RecordingList }) {
  const isAll = list.areAllSelected.value;
  return (
    <div class="thead" role="rowgroup">
      <div class="tr" role="row" aria-rowindex={1}>
        <span role="columnheader" class="pick">
          <label>
            <input
              type="checkbox"
              aria-label="Select all that are shown"
              checked={isAll}
              onChange={(event) => list.selectShown(event.currentTarget.checked)}
            />
          </label>
        </span>
        <span role="columnheader" class="room">
          Room
        </span>
        <span role="columnheader" class="state">
          Status
        </span>
        <SortHeader list={list} field="REQUESTED_AT" words="Requested" class="at" />
        <SortHeader list={list} field="DURATION" words="Length" class="length" />
        <SortHeader list={list} field="SIZE" words="Size" class="size" />
        <span role="columnheader" class="labels">
          Labels
        </span>
        <span role="columnheader" class="acts">
          <span class="unseen">Actions</span>
        </span>
      </div>
    </div>
  );
}

interface SortProps {
  list: RecordingList;
  field: SortField;
  words: string;
  class: string;
}

function SortHeader({ list, field, words, class: extra }: SortProps) {
  const { sort } = list.query;
  const isBy = sort.field === field;
  const direction = isBy && sort.direction === 'DESC' ? 'ASC' : 'DESC';
  const order = sort.direction === 'DESC' ? 'descending' : 'ascending';
  return (
    <span role="columnheader" class={extra} aria-sort={isBy ? order : 'none'}>
      <button type="button" class="quiet" onClick={() => change({ sort: sortText({ field, direction }) })}>
        {words}{' '}
        <span class={`order ${isBy ? order : ''}`}>
          <Icon name="down" />
        </span>
      </button>
    </span>
  );
}

interface Window {
  readonly first: number;
  readonly last: number;
  readonly rowPx: number;
}

/** Which rows are in sight, and a few around them; the whole page scrolls, not a box in it. */
function useWindow(body: { current: HTMLDivElement | null }, count: number): Window {
  const seen = useSignal<Window>({
    first: 0,
    last: 40,
    rowPx: matchMedia(NARROW).matches ? NARROW_ROW_PX : ROW_PX,
  });
  useLayoutEffect(() => {
    const look = (): void => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const rowPx = matchMedia(NARROW).matches ? NARROW_ROW_PX : ROW_PX;
      const first = Math.max(0, Math.floor(-top / rowPx) - AROUND);
      const last = Math.min(count, Math.ceil((innerHeight - top) / rowPx) + AROUND);
      const { value } = seen;
      if (first !== value.first || last !== value.last || rowPx !== value.rowPx)
        seen.value = { first, last, rowPx };
    };
    look();
    window.addEventListener('scroll', look, { passive: true });
    window.addEventListener('resize', look);
    return () => {
      window.removeEventListener('scroll', look);
      window.removeEventListener('resize', look);
    };
  }, [count]);
  return seen.value;
}

/** While somebody points at a row, has one in focus, has selected some or has scrolled on, nothing moves. */
function useHold(list: RecordingList, body: { current: HTMLDivElement | null }): void {
  const isSelecting = list.selected.value.size > 0;
  useEffect(() => {
    const look = (): void => {
      const element = body.current;
      if (!element) return list.hold(false);
      const isBelow = element.getBoundingClientRect().top < 0;
      // The toolbar too, or what is new would come in under whoever goes to its button.
      const isAt = element.closest('section')?.matches(':hover') || element.matches(':focus-within');
      list.hold(isBelow || isAt === true || list.selected.value.size > 0);
    };
    look();
    const events = ['scroll', 'pointermove', 'focusin', 'focusout'] as const;
    for (const name of events) window.addEventListener(name, look, { passive: true });
    return () => {
      for (const name of events) window.removeEventListener(name, look);
    };
  }, [list, isSelecting, list.rows.value === null]);
}

/** Up and down go from row to row, as in any list. */
function moveByArrows(event: KeyboardEvent): void {
  const by = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' } as const;
  const to = by[event.key as keyof typeof by];
  if (!to || !(event.target instanceof Element)) return;
  const next = event.target.closest('[role=row]')?.[to]?.querySelector<HTMLElement>('.room a');
  if (!next) return;
  event.preventDefault();
  next.focus();
}
