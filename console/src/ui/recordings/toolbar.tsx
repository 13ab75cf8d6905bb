import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { END_REASONS, type RecordingEndReason } from '../../api/contract.js';
import {
  type SinceChoice,
  SINCE_CHOICES,
  type StatusChoice,
  STATUS_CHOICES,
} from '../../state/list-query.js';
import { change } from '../../state/place.js';
import type { RecordingList } from '../../state/recording-list.js';
import { countWords, plainWords, reasonWords } from '../../words.js';
import { Icon } from '../icon.js';
import { Select } from '../select.js';

const TYPED_FOR_MS = 250;
const SINCE_WORDS: Record<SinceChoice, string> = {
  any: 'Any time',
  hour: 'Last hour',
  today: 'Today',
  day: 'Last 24 hours',
  week: 'Last 7 days',
  month: 'Last 30 days',
  range: 'From … to …',
};
const STATUS_WORDS: Record<StatusChoice, string> = {
  all: 'Any status',
  running: 'In progress',
  complete: 'Complete',
  failed: 'Failed',
  cancelled: 'Cancelled or lost',
  limit: 'Limit reached',
};

/** The search box and the filters; what they say stands in the address. */
export function Toolbar({ list }: { list: RecordingList }) {
  const { query } = list;
  return (
    <div class="toolbar" role="search">
      <SearchBox words={query.words} />
      <Select
        label="Status"
        value={query.status}
        options={STATUS_CHOICES.map((one) => [one, STATUS_WORDS[one]])}
        onChoose={(status) => change({ status: status === 'all' ? null : status })}
      />
      <Select<RecordingEndReason | ''>
        label="Reason"
        value={query.reason ?? ''}
        options={[
          ['', 'Any reason'],
          ...END_REASONS.map((one) => [one, sentence(reasonWords(one))] as const),
        ]}
        onChoose={(reason) => change({ reason })}
      />
      <Select
        label="Time"
        value={query.since}
        options={SINCE_CHOICES.map((one) => [one, SINCE_WORDS[one]])}
        onChoose={(since) => change({ since: since === 'any' ? null : since, from: null, to: null })}
      />
      <Count list={list} />
      <Chips list={list} />
    </div>
  );
}

function SearchBox({ words }: { words: string }) {
  const typed = useSignal(words);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (document.activeElement !== box.current) typed.value = words;
  }, [words]);
  useEffect(() => {
    const timer = setTimeout(
      () => typed.value !== words && change({ q: typed.value }, { replace: true }),
      TYPED_FOR_MS,
    );
    return () => clearTimeout(timer);
  }, [typed.value]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      event.preventDefault();
      box.current?.select();
      box.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div class="search-box">
      <Icon name="search" />
      <input
        ref={box}
        type="search"
        name="q"
        aria-label="Search recordings"
        aria-keyshortcuts="/"
        placeholder="Room, id, egress, label"
        autocomplete="off"
        spellcheck={false}
        value={typed.value}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') change({ q: typed.value }, { replace: true });
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}

/** Filters that have no control of their own, each to be taken out; and the ends of a range. */
function Chips({ list: { query } }: { list: RecordingList }) {
  const chips = [
    ...(query.roomId === '' ? [] : [{ words: `Room ${query.roomId}`, without: { room: null } }]),
    ...query.labels.map((label) => ({
      words: label.replace(':', ': '),
      without: { labels: query.labels.filter((other) => other !== label).join(',') },
    })),
  ];
  if (chips.length === 0 && query.since !== 'range') return null;
  return (
    <div class="chips">
      {query.since === 'range' && (
        <>
          <label class="inline">
            From
            <input
              type="datetime-local"
              value={query.from}
              onChange={(event) => change({ from: event.currentTarget.value })}
            />
          </label>
          <label class="inline">
            to
            <input
              type="datetime-local"
              value={query.to}
              onChange={(event) => change({ to: event.currentTarget.value })}
            />
          </label>
        </>
      )}
      {chips.map(({ words, without }) => (
        <button
          key={words}
          type="button"
          class="chip"
          aria-label={`Without the filter ${words}`}
          onClick={() => change(without)}
        >
          {words} <Icon name="close" />
        </button>
      ))}
    </div>
  );
}

function Count({ list }: { list: RecordingList }) {
  const waiting = list.waiting.value.length;
  const total = list.total.value;
  return (
    <p class="count" role="status">
      {waiting > 0 && (
        <button type="button" class="fresh" onClick={() => list.showWaiting()}>
          {waiting} new
        </button>
      )}
      {total !== null && <span>{countWords(total, 'recording')}</span>}
      {total === null && list.rows.value !== null && <span>more than 10,000</span>}
    </p>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches('input:not([type=checkbox]), textarea, select, [contenteditable]')
  );
}

function sentence(words: string): string {
  return plainWords(words.replaceAll(' ', '_'));
}
