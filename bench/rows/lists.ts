import { randomBytes } from 'node:crypto';
import type { RoomId } from '../../src/kernel/ids.js';
import { plantRecordings } from '../../test/support/planted-recordings.js';
import type { Bench, BenchOptions, Figures } from '../support/figures.js';
import { rounded } from '../support/figures.js';
import { times } from '../support/load.js';
import { measure } from '../support/measure.js';
import { Target } from '../support/target.js';

const ROOMS = 1_000;
const TEAMS = 50;
const COURSES = 300;
const WORDS = ['weekly', 'meeting', 'design', 'board', 'interview', 'lesson', 'standup', 'review'];
const PAGE = `query Page($filter: RecordingFilter, $sort: RecordingSort, $first: Int, $after: String) {
  recordings(filter: $filter, sort: $sort, first: $first, after: $after) {
    nodes { id status roomName } pageInfo { hasNextPage endCursor } totalCount } }`;

interface Page {
  readonly recordings: { readonly pageInfo: { readonly endCursor: string | null } };
}

/** What is asked, and the variables of the i-th time. */
type Asked = readonly [what: string, variables: (i: number) => object];

export const lists: Bench = {
  name: 'lists',
  measures: 'pages of lists among many recordings (--size, else 100,000): sorted, filtered',
  run: (options) => ofMany(options, pages),
};

export const search: Bench = {
  name: 'search',
  measures: 'pages of what words find among many recordings (--size, else 100,000)',
  run: (options) => ofMany(options, async () => searches()),
};

async function ofMany(
  { quick, size }: BenchOptions,
  asked: (target: Target, stored: number) => Promise<readonly Asked[]>,
): Promise<Figures[]> {
  const stored = size ?? (quick ? 1_000 : 100_000);
  const target = await Target.start();
  try {
    const empty = await usedMemory(target);
    await plantRecordings(
      target.redis.url,
      stored,
      () => undefined,
      (i) => ({
        roomId: `room-${i % ROOMS}` as RoomId,
        roomName: `${WORDS[i % WORDS.length]} of group ${i % ROOMS}`,
        labels: { team: `team-${i % TEAMS}`, course: `course-${i % COURSES}` },
        egressId: `EG_${randomBytes(6).toString('hex')}`,
        endReason: 'STOP_REQUESTED',
        sizeBytes: (i * 7_919) % 900_000_000,
        durationMs: (i * 104_729) % 7_200_000,
      }),
    );
    const bytes = ((await usedMemory(target)) - empty) / stored;
    const figures: Figures[] = [
      {
        what: 'Redis memory of a stored recording, its indexes and its event',
        conditions: { stored },
        counts: { bytesEach: rounded(bytes, 0), ...(await bytesByKind(target, stored)) },
      },
    ];
    for (const [what, variables] of await asked(target, stored)) {
      const ask = (i: number): Promise<unknown> => target.graphql(PAGE, { first: 20, ...variables(i) });
      await times(quick ? 3 : 30, 1, ask);
      const count = quick ? 10 : 300;
      figures.push(await measure(target, { what, conditions: { stored }, count, atOnce: 1, task: ask }));
    }
    return figures;
  } finally {
    await target.close();
  }
}

async function pages(target: Target, stored: number): Promise<readonly Asked[]> {
  const middle = await cursorAfter(target, Math.min(50, Math.floor(stored / 40)));
  const room = (i: number): string => `room-${i % ROOMS}`;
  const labels = (i: number): object => ({ team: `team-${i % TEAMS}` });
  return [
    ['first page', () => ({})],
    ['a page from further on', () => ({ after: middle })],
    ['first page of 100', () => ({ first: 100 })],
    ['a page of 100 from further on', () => ({ first: 100, after: middle })],
    ['one room', (i) => ({ first: 100, filter: { roomId: room(i) } })],
    ['one room by duration', (i) => ({ filter: { roomId: room(i) }, sort: { field: 'DURATION' } })],
    ['by size, all rooms', () => ({ first: 100, sort: { field: 'SIZE' } })],
    ['by a label', (i) => ({ first: 100, filter: { labels: labels(i) } })],
    ['by two labels', (i) => ({ filter: { labels: { ...labels(i), course: `course-${i % COURSES}` } } })],
  ];
}

function searches(): readonly Asked[] {
  const room = (i: number): string => `room-${i % ROOMS}`;
  const word = (i: number): string => WORDS[i % WORDS.length]!;
  return [
    ['search for a word', (i) => ({ filter: { search: word(i) } })],
    ['search for the beginning of a word', (i) => ({ filter: { search: word(i).slice(0, 3) } })],
    ['search for a letter', (i) => ({ filter: { search: word(i).slice(0, 1) } })],
    ['search for a room', (i) => ({ filter: { search: room(i) } })],
    ['search for two words', (i) => ({ filter: { search: `${word(i)} group` } })],
    ['search for three words', (i) => ({ filter: { search: `team-${i % TEAMS} group ${word(i)}` } })],
    ['search for two words in one room', (i) => ({ filter: { search: 'team gro', roomId: room(i) } })],
  ];
}

async function cursorAfter(target: Target, pages: number): Promise<string | null> {
  let after: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const { recordings }: Page = await target.graphql<Page>(PAGE, { first: 20, after });
    after = recordings.pageInfo.endCursor;
  }
  return after;
}

async function usedMemory({ redisClient }: Target): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await redisClient.info('memory'))?.[1]);
}

/** Of each recording, by the part of the keys' names that says what they are. */
async function bytesByKind({ redisClient }: Target, stored: number): Promise<Record<string, number>> {
  const kinds = new Map<string, number>();
  for await (const some of redisClient.scanStream({ count: 1_000 })) {
    const keys = some as string[];
    const sizes = await Promise.all(keys.map((key) => redisClient.memory('USAGE', key)));
    keys.forEach((key, i) => {
      const [, kind = key, scope = '', , what = ''] = key.split(':');
      const name = kind === 'index' ? `${scope}${what && `.${what}`}` : kind;
      kinds.set(name, (kinds.get(name) ?? 0) + (sizes[i] ?? 0));
    });
  }
  const each = [...kinds].map(([kind, bytes]) => [`${kind}Bytes`, rounded(bytes / stored, 0)] as const);
  return Object.fromEntries(each.filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a));
}
