import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { TallyError } from '../../kernel/errors.js';
import type { RecordingId } from '../../kernel/ids.js';
import { keys } from '../../redis/keys.js';
import { notWhole } from '../../redis/not-whole.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import type { JsonValue, RecordingStatus, StoredRecording } from '../domain/recording.js';
import { indexKeys, roomScope, type Scope } from './index-entries.js';
import {
  canonicalJson,
  MOST_SELECTED,
  type PageCursor,
  type PageItem,
  type RecordingPage,
  type RecordingQuery,
} from './recording-query.js';

const pageScript = new Script(join(__dirname, 'page-recordings.lua'));
const selectScript = new Script(join(__dirname, 'select-recordings.lua'));
const FIXED_KEYS = 2;

interface Source {
  readonly scope: Scope;
  readonly status: RecordingStatus;
}
type Label = readonly [name: string, value: JsonValue];
interface Phase {
  readonly keys: readonly string[];
  readonly bounded: boolean;
}

/** Reads pages of recordings from the indexes that the commit script keeps. */
@Injectable()
export class RedisRecordingPages {
  constructor(private readonly connections: RedisConnections) {}

  async read(query: RecordingQuery): Promise<RecordingPage> {
    const labels = Object.entries(query.labels);
    const bounded = query.requestedAfter !== null || query.requestedBefore !== null;
    const byValue = query.field !== 'REQUESTED_AT';
    if (labels.length === 0 && !byValue)
      return this.merged(query, [{ keys: keysOf(query, requestedKey), bounded }]);
    if (labels.length === 0 && !bounded) return this.merged(query, phasesByValue(query));
    if (labels.length === 1 && !byValue)
      return this.merged(query, [{ keys: keysOf(query, labelKey(labels[0]!)), bounded }]);
    const ordered = await this.rarestFirst(query, labels);
    const selected = await this.selected(query, ordered);
    if (selected !== null) return selected;
    if (byValue) throw tooMany(query.field);
    return this.sifted(query, ordered);
  }

  /** One index, or one after the other, merged in order: any size. */
  private async merged(query: RecordingQuery, phases: readonly Phase[]): Promise<RecordingPage> {
    const indexes = phases.flatMap((phase) => phase.keys);
    let from = FIXED_KEYS + 1;
    const described = phases.map((phase) => {
      const range = {
        from,
        to: from + phase.keys.length - 1,
        ...(phase.bounded ? bounds(query) : bounds(null)),
      };
      from += phase.keys.length;
      return range;
    });
    const answer = await pageScript.run(
      this.connections.command,
      [keys.epoch(), keys.events(), ...indexes],
      [JSON.stringify({ phases: described, ...common(query) })],
    );
    return toPage(answer, query);
  }

  /** Null: more than may be selected. */
  private async selected(query: RecordingQuery, labels: readonly Label[]): Promise<RecordingPage | null> {
    const [rarest, ...others] = labels;
    const indexes: string[] = [];
    const numberOf = (key: string): number => indexes.push(key) + FIXED_KEYS;
    const described = sources(query).map((source) => ({
      key: numberOf(rarest ? labelKey(rarest)(source) : requestedKey(source)),
      also: others.map((label) => numberOf(labelKey(label)(source))),
      value:
        query.field === 'REQUESTED_AT'
          ? 0
          : numberOf(indexKeys.valued(source.scope, source.status, query.field)),
    }));
    const answer = await selectScript.run(
      this.connections.command,
      [keys.epoch(), keys.events(), ...indexes],
      [JSON.stringify({ sources: described, most: MOST_SELECTED, ...bounds(query), ...common(query) })],
    );
    return (answer as unknown[])[0] === 'too-many' ? null : toPage(answer, query);
  }

  /** By several labels of which even the rarest is on too many: goes through that one's page by page, a bounded way. */
  private async sifted(query: RecordingQuery, [rarest, ...others]: readonly Label[]): Promise<RecordingPage> {
    const bounded = query.requestedAfter !== null || query.requestedBefore !== null;
    const phase = { keys: keysOf(query, labelKey(rarest!)), bounded };
    const items: PageItem[] = [];
    let after = query.after;
    let last: RecordingPage | null = null;
    for (
      let looked = 0;
      looked < MOST_SELECTED && items.length <= query.first && last?.hasNextPage !== false;
      looked += SIFTED_AT_ONCE
    ) {
      last = await this.merged({ ...query, first: SIFTED_AT_ONCE, after }, [phase]);
      after = last.items.at(-1)?.cursor ?? after;
      items.push(...last.items.filter((item) => others.every((label) => holds(item.recording, label))));
    }
    const more = items.length > query.first || last!.hasNextPage;
    return { items: items.slice(0, query.first), hasNextPage: more, total: null, position: last!.position };
  }

  private async rarestFirst(query: RecordingQuery, labels: readonly Label[]): Promise<Label[]> {
    if (labels.length < 2) return [...labels];
    const counted = await Promise.all(
      labels.map(async (label) => {
        const page = await this.merged({ ...query, first: 0, after: null }, [
          { keys: keysOf(query, labelKey(label)), bounded: true },
        ]);
        return { label, count: page.total ?? 0 };
      }),
    );
    return counted.sort((a, b) => a.count - b.count).map(({ label }) => label);
  }
}

const SIFTED_AT_ONCE = 500;

function sources({ rooms, statuses }: RecordingQuery): Source[] {
  const scopes: Scope[] = rooms === null ? ['all'] : rooms.map(roomScope);
  return scopes.flatMap((scope) => statuses.map((status) => ({ scope, status })));
}

function keysOf(query: RecordingQuery, key: (source: Source) => string): string[] {
  return sources(query).map(key);
}

function requestedKey({ scope, status }: Source): string {
  return indexKeys.requested(scope, status);
}

function labelKey([name, value]: Label): (source: Source) => string {
  return ({ scope, status }) => indexKeys.label(scope, status, name, value);
}

function phasesByValue(query: RecordingQuery): Phase[] {
  const { field } = query;
  if (field === 'REQUESTED_AT') return [];
  return [
    { keys: keysOf(query, ({ scope, status }) => indexKeys.valued(scope, status, field)), bounded: false },
    { keys: keysOf(query, ({ scope, status }) => indexKeys.valueless(scope, status, field)), bounded: false },
  ];
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

function common(query: RecordingQuery): Record<string, unknown> {
  const { after } = query;
  return {
    desc: query.direction === 'DESC',
    // One more than asked for tells whether there is a next page.
    limit: query.first + 1,
    prefix: keys.recording('' as RecordingId),
    ...(after && { after: { phase: after.valued ? 1 : 2, score: String(after.score), id: after.id } }),
  };
}

function toPage(answer: unknown, query: RecordingQuery): RecordingPage {
  const [epoch, id, total, ...rest] = answer as (string | number)[];
  if (epoch === 'not-whole') throw notWhole();
  const items: PageItem[] = [];
  for (let i = 0; i < rest.length; i += 4) {
    const doc = String(rest[i + 3]);
    if (doc === '') continue;
    const cursor: PageCursor = {
      id: rest[i] as RecordingId,
      score: Number(rest[i + 1]),
      valued: rest[i + 2] === 1,
    };
    items.push({ recording: JSON.parse(doc) as StoredRecording, cursor });
  }
  return {
    items: items.slice(0, query.first),
    hasNextPage: items.length > query.first,
    total: Number(total),
    position: { epoch: String(epoch), id: String(id) },
  };
}

function holds(recording: StoredRecording, [name, value]: Label): boolean {
  const has = recording.labels[name];
  return has !== undefined && canonicalJson(has) === canonicalJson(value);
}

function tooMany(field: string): TallyError {
  return new TallyError(
    'BAD_USER_INPUT',
    `filter: sorting by ${field} in a time range or by labels can choose among ${MOST_SELECTED} recordings at most; ask for a narrower range`,
    { field: 'filter' },
  );
}
