import type { RoomId } from '../../src/kernel/ids.js';
import { plantRecordings } from '../../test/support/planted-recordings.js';
import type { Bench, Figures } from '../support/figures.js';
import { rounded } from '../support/figures.js';
import { times } from '../support/load.js';
import { measure } from '../support/measure.js';
import { Target } from '../support/target.js';

const ROOMS = 1_000;
const TEAMS = 50;
const WORDS = ['weekly', 'meeting', 'design', 'board', 'interview', 'lesson', 'standup', 'review'];
const PAGE = `query Page($filter: RecordingFilter, $sort: RecordingSort, $after: String) {
  recordings(filter: $filter, sort: $sort, first: 20, after: $after) {
    nodes { id status roomName } pageInfo { hasNextPage endCursor } totalCount } }`;

interface Page {
  readonly recordings: { readonly pageInfo: { readonly endCursor: string | null } };
}

export const lists: Bench = {
  name: 'lists',
  measures: 'pages of lists among many recordings (--size, else 100,000): sorted, filtered, searched',
  run: async ({ quick, size }) => {
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
          labels: { team: `team-${i % TEAMS}` },
          sizeBytes: (i * 7_919) % 900_000_000,
          durationMs: (i * 104_729) % 7_200_000,
        }),
      );
      const bytes = ((await usedMemory(target)) - empty) / stored;
      const figures: Figures[] = [
        {
          what: 'Redis memory of a stored recording, its indexes and its event',
          conditions: { stored },
          counts: { bytesEach: rounded(bytes, 0) },
        },
      ];
      const middle = await cursorAfter(target, Math.min(50, Math.floor(stored / 40)));
      for (const [what, variables] of queries(middle)) {
        const ask = (i: number): Promise<unknown> => target.graphql(PAGE, variables(i));
        await times(quick ? 3 : 30, 1, ask);
        const count = quick ? 10 : 300;
        figures.push(await measure(target, { what, conditions: { stored }, count, atOnce: 1, task: ask }));
      }
      return figures;
    } finally {
      await target.close();
    }
  },
};

function queries(middle: string | null): readonly (readonly [string, (i: number) => object])[] {
  const room = (i: number): string => `room-${i % ROOMS}`;
  const labels = (i: number): object => ({ team: `team-${i % TEAMS}` });
  return [
    ['first page', () => ({})],
    ['a page from further on', () => ({ after: middle })],
    ['one room', (i) => ({ filter: { roomId: room(i) } })],
    ['one room by duration', (i) => ({ filter: { roomId: room(i) }, sort: { field: 'DURATION' } })],
    ['by size, all rooms', () => ({ filter: { statuses: ['COMPLETE'] }, sort: { field: 'SIZE' } })],
    ['by a label', (i) => ({ filter: { labels: labels(i) } })],
    ['search for a word', (i) => ({ filter: { search: WORDS[i % WORDS.length] } })],
    ['search for two words', (i) => ({ filter: { search: `${WORDS[i % WORDS.length]} group` } })],
  ];
}

async function cursorAfter(target: Target, pages: number): Promise<string | null> {
  let after: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const { recordings }: Page = await target.graphql<Page>(PAGE, { after });
    after = recordings.pageInfo.endCursor;
  }
  return after;
}

async function usedMemory({ redisClient }: Target): Promise<number> {
  return Number(/used_memory_dataset:(\d+)/.exec(await redisClient.info('memory'))?.[1]);
}
