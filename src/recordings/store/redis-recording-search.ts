import { join } from 'node:path';
import type { RecordingId } from '../../kernel/ids.js';
import { encodeRoomId } from '../../kernel/room-code.js';
import { keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import type { RedisConnections } from '../../redis/redis.connections.js';
import { type Answered, cursorOf, idsOf, itemsOf } from './page-rows.js';
import { Script } from '../../redis/script.js';
import { RECORDING_STATUSES } from '../domain/recording.js';
import { indexKeys, POSTINGS } from './index-entries.js';
import type { LogPosition } from './log-position.js';
import type { MissingRows } from './missing-rows.port.js';
import { conditionsOf, requested, sources, tooMany } from './recording-conditions.js';
import type { PageCursor, PageItem, RecordingPage, RecordingQuery } from './recording-query.js';

const searchScript = new Script(join(__dirname, 'search-recordings.lua'));
const FIXED_KEYS = 2 + POSTINGS.length;
const ID_PREFIX = 'rec_';
const BEGINNING_OF_ID = /^rec_[0-9a-z]{1,26}$/;

/** The beginning of a word, or of an `id`; `whole`: the word itself. */
export interface SearchWord {
  readonly text: string;
  readonly id?: string;
  readonly whole?: true;
}

/** How much is passed through, see RedisRecordingPages. */
interface Limits {
  readonly selected: number;
  readonly siftedAtOnce: number;
  readonly sifted: number;
  readonly counted: number;
  readonly streams: number;
}

/** What one script call read. */
interface Part {
  readonly items: readonly PageItem[];
  readonly missing: readonly RecordingId[];
  readonly position: LogPosition;
  /** Every candidate was examined, so that `total` is known. */
  readonly complete: boolean;
  readonly matched: number;
  readonly looked: number;
  readonly exhausted: boolean;
  readonly lookedTo: PageCursor | null;
  readonly candidates: number;
  readonly total: number | null;
}

/** Reads pages of the recordings that words find, from the words that the commit script keeps of each. */
export class RedisRecordingSearch {
  constructor(
    private readonly connections: RedisConnections,
    private readonly missing: MissingRows,
    private readonly limits: Limits,
  ) {}

  async read(query: RecordingQuery, search: readonly SearchWord[]): Promise<RecordingPage> {
    const bounded = query.requestedAfter !== null || query.requestedBefore !== null;
    const items: PageItem[] = [];
    let { after } = query;
    let looked = 0;
    let missing = 0;
    let first: Part | null = null;
    let part: Part;
    do {
      // One more than asked for tells whether there is a next page.
      const want = query.first + 1 - items.length;
      part = await this.part({ ...query, after }, search, want);
      if (!part.complete && bounded && query.field !== 'REQUESTED_AT') throw tooMany(query.field);
      first ??= part;
      items.push(...part.items);
      looked += part.looked;
      missing += part.missing.length;
      after = part.lookedTo ?? after;
    } while (!part.exhausted && items.length <= query.first && looked < this.limits.sifted);
    const full = items.length > query.first;
    const shown = items.slice(0, query.first);
    const total = first.total ?? (await this.count(query, search, first));
    return {
      items: shown,
      hasNextPage: full || !part.exhausted,
      endCursor: full || part.exhausted ? (shown.at(-1)?.cursor ?? null) : after,
      total: total === null || first.complete ? total : total - missing,
      position: first.position,
    };
  }

  /** Null: too many to pass through. */
  private async count(
    query: RecordingQuery,
    search: readonly SearchWord[],
    { candidates }: Part,
  ): Promise<number | null> {
    if (candidates > this.limits.counted) return null;
    let matched = 0;
    let after: PageCursor | null = null;
    for (;;) {
      const part: Part = await this.part({ ...query, field: 'REQUESTED_AT', after }, search, 0);
      matched += part.matched;
      after = part.lookedTo ?? after;
      if (part.exhausted) return matched;
    }
  }

  private async part(query: RecordingQuery, search: readonly SearchWord[], want: number): Promise<Part> {
    const indexes: string[] = [];
    const numberOf = (key: string): number => indexes.push(key) + FIXED_KEYS;
    const terms = termsOf(query, numberOf);
    const { selected: most, siftedAtOnce: look, streams } = this.limits;
    const { after } = query;
    const answer = await searchScript.runBuffers(
      this.connections.command,
      [keys.epoch(), keys.events(), ...POSTINGS, ...indexes],
      [
        JSON.stringify({
          ...terms,
          words: search,
          desc: query.direction === 'DESC',
          ...{ want, most, look: Math.max(look, want), streams },
          ...(after && { after: { phase: after.valued ? 1 : 2, score: String(after.score), id: after.id } }),
          prefix: keys.recording('' as RecordingId),
        }),
      ],
    );
    return this.toPart(answer);
  }

  private toPart(answer: unknown): Part {
    const [epoch, id, complete, matched, looked, exhausted, place, gone, rows, candidates, total] =
      answer as [
        ...[Buffer, Buffer, number, number, number, number],
        ...[Answered, Answered, Answered, number, number],
      ];
    if (epoch.toString() === 'redis-was-reset') throw redisWasReset();
    const items = itemsOf(rows);
    const missing = idsOf(gone);
    if (missing.length > 0) this.missing.report(missing);
    const position = { epoch: epoch.toString(), id: id.toString() };
    return {
      ...{ items, missing, position, matched, looked, candidates },
      complete: complete === 1,
      exhausted: exhausted === 1,
      lookedTo: place.length === 0 ? null : cursorOf(place),
      total: total === -1 ? null : total,
    };
  }
}

/** The words that don't find every recording there is. */
export function narrowingWords({ search }: RecordingQuery): readonly SearchWord[] {
  return (search ?? []).filter((word) => !ID_PREFIX.startsWith(word)).map(wordOf);
}

/** A word may be the beginning of a recording's id too, which is in no index of its own: ids are in the order of the requests. */
function wordOf(text: string): SearchWord {
  return BEGINNING_OF_ID.test(text)
    ? { text, id: `${ID_PREFIX}${text.slice(ID_PREFIX.length).toUpperCase()}` }
    : { text };
}

function termsOf(query: RecordingQuery, numberOf: (key: string) => number): Record<string, unknown> {
  const { rooms, statuses, field, requestedAfter: min, requestedBefore: max } = query;
  const conditions = conditionsOf(query).map((condition) =>
    statuses.map((status) => condition({ scope: 'all', status }).map(numberOf)),
  );
  const byValue = field !== 'REQUESTED_AT';
  const of = sources(query);
  return {
    requested: of.flatMap((source) => requested(source).map(numberOf)),
    statuses: Object.fromEntries(
      statuses.map((status, i) => [
        status,
        {
          also: conditions.map((ofStatus) => ofStatus[i]),
          values: byValue ? [numberOf(indexKeys.valued('all', status, field))] : [],
        },
      ]),
    ),
    conditions: conditions.map((ofStatus) => ofStatus.flat()),
    open:
      rooms === null &&
      min === null &&
      max === null &&
      conditions.length === 0 &&
      statuses.length === RECORDING_STATUSES.length,
    ...(rooms && { rooms: rooms.map(encodeRoomId) }),
    ...(min !== null && { min }),
    ...(max !== null && { max }),
    ...(byValue && {
      valued: of.map(({ scope, status }) => numberOf(indexKeys.valued(scope, status, field))),
      valueless: of.map(({ scope, status }) => numberOf(indexKeys.valueless(scope, status, field))),
    }),
  };
}
