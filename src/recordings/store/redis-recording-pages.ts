import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { RecordingId } from '../../kernel/ids.js';
import { keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { type Answered, cursorOf, idsOf, itemsOf } from './page-rows.js';
import { Script } from '../../redis/script.js';
import { isFinal, RECORDING_STATUSES } from '../domain/recording.js';
import { indexKeys } from './index-entries.js';
import type { LogPosition } from './log-position.js';
import { MissingRows } from './missing-rows.port.js';
import { type Condition, conditionsOf, requested, sources, tooMany } from './recording-conditions.js';
import {
  isBefore,
  matches,
  MOST_SELECTED,
  type PageCursor,
  type PageItem,
  type RecordingPage,
  type RecordingQuery,
  toItem,
} from './recording-query.js';
import { narrowingWords, RedisRecordingSearch, type SearchWord } from './redis-recording-search.js';
import { searchWords } from './search-words.js';

const pageScript = new Script(join(__dirname, 'page-recordings.lua'));
const selectScript = new Script(join(__dirname, 'select-recordings.lua'));
const FIXED_KEYS = 2;
/** An egress is one recording's; who asks by a word that stands in others too is answered of so many. */
const MOST_OF_ONE_EGRESS = 1_000;
/** What no recording is found by. */
const NO_WORD: SearchWord = { text: '\u0001', whole: true };

/**
 * Indexes that are merged in order; `within`: of each, the index by request that has all of its recordings; `also`: of each, the
 * conditions that a recording has to meet too, as their indexes.
 */
interface Phase {
  readonly keys: readonly string[];
  readonly within?: readonly string[];
  readonly bounded: boolean;
  readonly also?: readonly (readonly (readonly string[])[])[];
}

/** What one script call read. */
interface Part {
  readonly items: readonly PageItem[];
  readonly missing: readonly RecordingId[];
  readonly position: LogPosition;
  /** Entries of the indexes, whether they hold the other conditions or not. */
  readonly entries: number;
  readonly matched: number;
  readonly looked: number;
  readonly exhausted: boolean;
  readonly lookedTo: PageCursor | null;
}

/** Reads pages of recordings from the indexes that the commit script keeps. */
@Injectable()
export class RedisRecordingPages {
  protected readonly limits = {
    /** Chosen among in one call. */
    selected: MOST_SELECTED,
    /** Passed through in one call, and for one page altogether, where more than that hold the rarest condition. */
    siftedAtOnce: 2_000,
    sifted: 200_000,
    /** Passed through to count what holds all of several conditions. */
    counted: 50_000,
    /** Different words that begin with the one that is searched for: with more, recordings are gone through in order instead. */
    streams: 512,
  };

  constructor(
    private readonly connections: RedisConnections,
    private readonly missing: MissingRows,
  ) {}

  async read(query: RecordingQuery): Promise<RecordingPage> {
    if (query.egressId != null) return this.ofEgress(query, query.egressId);
    const words = narrowingWords(query);
    if (words.length > 0) return this.searched(query, words);
    const conditions = conditionsOf(query);
    const bounded = query.requestedAfter !== null || query.requestedBefore !== null;
    const byValue = query.field !== 'REQUESTED_AT';
    const [only = requested] = conditions;
    if (conditions.length < 2 && !byValue) return this.merged(query, [phaseOf(query, only, [])]);
    if (conditions.length === 0 && !bounded)
      return this.merged(query, phasesByValue(query, []), sources(query).flatMap(requested));
    const selected = await this.selected(query, conditions);
    if (selected !== null) return selected;
    if (byValue && bounded) throw tooMany(query.field);
    return this.sifted(query, await this.rarestFirst(query, conditions));
  }

  /** One index, or one after the other, merged in order: any size. `counts`: indexes that have all of them, where that is fewer. */
  private async merged(
    query: RecordingQuery,
    phases: readonly Phase[],
    counts?: readonly string[],
  ): Promise<RecordingPage> {
    const { page, part, missing } = await this.collect(query, phases, 0, counts);
    return { ...page, total: part.entries - missing };
  }

  /** By several conditions of which even the rarest holds for too many: passes through that one's, a bounded way. */
  private async sifted(query: RecordingQuery, counted: readonly Counted[]): Promise<RecordingPage> {
    const [rarest, ...others] = counted.map(({ condition }) => condition);
    const phases =
      query.field === 'REQUESTED_AT'
        ? [phaseOf(query, rarest!, others)]
        : phasesByValue(
            query,
            counted.map(({ condition }) => condition),
          );
    const { page, missing } = await this.collect(query, phases, this.limits.siftedAtOnce, []);
    const total = counted.length === 1 ? counted[0]!.count : await this.count(query, counted);
    return { ...page, total: total === null ? null : total - missing };
  }

  /** Null: too many to pass through. */
  private async count(query: RecordingQuery, counted: readonly Counted[]): Promise<number | null> {
    if (counted[0]!.count > this.limits.counted) return null;
    const [rarest, ...others] = counted.map(({ condition }) => condition);
    const phases = [phaseOf(query, rarest!, others)];
    let matched = 0;
    let after: PageCursor | null = null;
    for (;;) {
      const part: Part = await this.part({ ...query, field: 'REQUESTED_AT', after }, phases, {
        want: 0,
        look: this.limits.siftedAtOnce,
      });
      matched += part.matched;
      after = part.lookedTo ?? after;
      if (part.exhausted) return matched;
    }
  }

  /** Reads on until the page is full, nothing is left, or enough was passed through. Rows that are gone are passed over. */
  private async collect(
    query: RecordingQuery,
    phases: readonly Phase[],
    look: number,
    counts?: readonly string[],
  ): Promise<{ page: Omit<RecordingPage, 'total'>; part: Part; missing: number }> {
    const items: PageItem[] = [];
    let first: Part | null = null;
    let part: Part;
    let after = query.after;
    let looked = 0;
    let missing = 0;
    do {
      // One more than asked for tells whether there is a next page.
      const want = query.first + 1 - items.length;
      part = await this.part({ ...query, after }, phases, {
        ...{ want, look: Math.max(look, want) },
        ...(counts && { counts: first === null ? counts : [] }),
      });
      first ??= part;
      items.push(...part.items);
      missing += part.missing.length;
      looked += part.looked;
      after = part.lookedTo ?? after;
    } while (!part.exhausted && items.length <= query.first && looked < this.limits.sifted);
    const full = items.length > query.first;
    const shown = items.slice(0, query.first);
    return {
      page: {
        items: shown,
        hasNextPage: full || !part.exhausted,
        endCursor: full || part.exhausted ? (shown.at(-1)?.cursor ?? null) : after,
        position: first.position,
      },
      part: first,
      missing,
    };
  }

  private async part(
    query: RecordingQuery,
    phases: readonly Phase[],
    {
      want,
      look,
      counts,
    }: { readonly want: number; readonly look: number; readonly counts?: readonly string[] },
  ): Promise<Part> {
    const indexes: string[] = [];
    const numberOf = (key: string): number => indexes.push(key) + FIXED_KEYS;
    const countNumbers = new Map(counts?.map((key) => [key, numberOf(key)]));
    const described = phases.map((phase) => {
      const from = indexes.length + FIXED_KEYS + 1;
      phase.keys.forEach(numberOf);
      return {
        ...{ from, to: from + phase.keys.length - 1 },
        ...bounds(phase.bounded ? query : null),
        ...(countNumbers.size > 0 && { within: phase.within?.map((key) => countNumbers.get(key)) }),
        ...(phase.also && {
          also: phase.also.map((conditions) => conditions.map((keysOfOne) => keysOfOne.map(numberOf))),
        }),
      };
    });
    const answer = await pageScript.runBuffers(
      this.connections.command,
      [keys.epoch(), keys.events(), ...indexes],
      [
        JSON.stringify({
          ...{ phases: described, want, look, ...common(query) },
          ...(counts && { counts: [...countNumbers.values()] }),
        }),
      ],
    );
    return this.toPart(answer);
  }

  /** Null: more than may be selected. */
  private async selected(
    query: RecordingQuery,
    conditions: readonly Condition[],
  ): Promise<RecordingPage | null> {
    const indexes: string[] = [];
    const numberOf = (key: string): number => indexes.push(key) + FIXED_KEYS;
    const asked = conditions.length > 0 ? conditions : [requested];
    const described = sources(query).map((source) => {
      const { scope, status } = source;
      const { field } = query;
      return {
        conditions: asked.map((condition) => condition(source).map(numberOf)),
        value: field === 'REQUESTED_AT' ? 0 : numberOf(indexKeys.valued(scope, status, field)),
      };
    });
    const terms = { sources: described, most: this.limits.selected, want: query.first + 1 };
    const answer = await selectScript.runBuffers(
      this.connections.command,
      [keys.epoch(), keys.events(), ...indexes],
      [JSON.stringify({ ...terms, ...bounds(query), ...common(query) })],
    );
    if (String((answer as Answered)[0]) === 'too-many') return null;
    const { items, position, matched, missing } = this.toPart(answer);
    return pageOf(items, query, matched - missing.length, position);
  }

  /** One, as a rule: there is nothing to merge. */
  private async ofEgress(query: RecordingQuery, egressId: string): Promise<RecordingPage> {
    const words = searchWords(egressId).map((text) => ({ text, whole: true }) as const);
    const all: RecordingQuery = {
      ...{
        rooms: null,
        statuses: RECORDING_STATUSES,
        requestedAfter: null,
        requestedBefore: null,
        labels: {},
      },
      ...{ field: 'REQUESTED_AT', direction: 'DESC', after: null, first: MOST_OF_ONE_EGRESS },
    };
    const page = await this.searched(all, words.length > 0 ? words : [NO_WORD]);
    const items = page.items
      .filter(({ recording }) => matches(recording, query))
      .map(({ recording }) => toItem(recording, query))
      .sort((a, b) => (isBefore(a.cursor, b.cursor, query) ? -1 : 1));
    const { after } = query;
    const rest = after === null ? items : items.filter(({ cursor }) => isBefore(after, cursor, query));
    return pageOf(rest, query, items.length, page.position);
  }

  private searched(query: RecordingQuery, words: readonly SearchWord[]): Promise<RecordingPage> {
    return new RedisRecordingSearch(this.connections, this.missing, this.limits).read(query, words);
  }

  private async rarestFirst(query: RecordingQuery, conditions: readonly Condition[]): Promise<Counted[]> {
    const counted = await Promise.all(
      conditions.map(async (condition) => {
        const phases = [phaseOf(query, condition, [])];
        const { entries } = await this.part({ ...query, after: null }, phases, { want: 0, look: 0 });
        return { condition, count: entries };
      }),
    );
    return counted.sort((a, b) => a.count - b.count);
  }

  private toPart(answer: unknown): Part {
    const [epoch, id, entries, matched, looked, exhausted, place, gone, rows] = answer as [
      ...[Buffer, Buffer, number, number, number, number],
      ...[Answered, Answered, Answered],
    ];
    if (epoch.toString() === 'redis-was-reset') throw redisWasReset();
    const items = itemsOf(rows);
    const missing = idsOf(gone);
    if (missing.length > 0) this.missing.report(missing);
    const position = { epoch: epoch.toString(), id: id.toString() };
    return {
      ...{ items, missing, position, entries, matched, looked },
      exhausted: exhausted === 1,
      lookedTo: place.length === 0 ? null : cursorOf(place),
    };
  }
}

interface Counted {
  readonly condition: Condition;
  readonly count: number;
}

/** The first of what is left after the query's cursor. */
function pageOf(
  rest: readonly PageItem[],
  query: RecordingQuery,
  total: number,
  position: LogPosition,
): RecordingPage {
  const items = rest.slice(0, query.first);
  const endCursor = items.at(-1)?.cursor ?? null;
  return { items, hasNextPage: rest.length > query.first, endCursor, total, position };
}

function phaseOf(query: RecordingQuery, base: Condition, others: readonly Condition[]): Phase {
  const bounded = query.requestedAfter !== null || query.requestedBefore !== null;
  const keysAlso = sources(query).flatMap((source) => {
    const also = others.map((condition) => condition(source));
    const [within = ''] = requested(source);
    return base(source).map((key) => ({ key, within, also }));
  });
  return {
    keys: keysAlso.map(({ key }) => key),
    within: keysAlso.map(({ within }) => within),
    bounded,
    ...(others.length > 0 && { also: keysAlso.map(({ also }) => also) }),
  };
}

function phasesByValue(query: RecordingQuery, conditions: readonly Condition[]): Phase[] {
  const { field } = query;
  if (field === 'REQUESTED_AT') return [];
  // Nothing in progress has a value yet.
  const valued: Condition = ({ scope, status }) =>
    isFinal(status) ? [indexKeys.valued(scope, status, field)] : [];
  const valueless: Condition = ({ scope, status }) => [indexKeys.valueless(scope, status, field)];
  return [valued, valueless].map((base) => ({ ...phaseOf(query, base, conditions), bounded: false }));
}

/** Exclusive on both sides; `minBelow` bounds what stands before the range. */
function bounds(query: RecordingQuery | null): { min: string; minBelow: string; max: string } {
  const [after, before] = [query?.requestedAfter ?? null, query?.requestedBefore ?? null];
  return {
    min: after === null ? '-inf' : `(${after}`,
    minBelow: after === null ? '-inf' : String(after),
    max: before === null ? '+inf' : `(${before}`,
  };
}

function common({ after, direction }: RecordingQuery): Record<string, unknown> {
  return {
    desc: direction === 'DESC',
    prefix: keys.recording('' as RecordingId),
    ...(after && { after: { phase: after.valued ? 1 : 2, score: String(after.score), id: after.id } }),
  };
}
