import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RecordingId } from '../../src/kernel/ids.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { fillWithRecords } from '../support/many-records.js';

const ROOT = join(__dirname, '../..');
/** `BUCKET_RECORDINGS=100000` is for a person who waits: most of the time goes into filling the bucket and rebuilding from it. */
const RECORDINGS = Number(process.env.BUCKET_RECORDINGS ?? 20_000);
/** What looking through all of them could not do; some are the instance's own, meanwhile. */
const MOST_COMMANDS = 600;
const FEW = 250;

interface Page {
  readonly recordings: {
    readonly nodes: readonly { readonly id: RecordingId }[];
    readonly totalCount: number | null;
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const egressIdOf = (n: number): string => `EG_${String(n).padStart(12, '0')}`;
/** One alone, some hundred, and a fifth of all. */
const labelsOf = (n: number) => ({
  case: `case-${n}x`,
  course: `course-${n % (RECORDINGS / FEW)}z`,
  team: `team-${n % 5}`,
});

describe(`a search in a bucket of ${RECORDINGS} recordings`, () => {
  let stack: TestStack;
  let instance: TestInstance;
  let ids: readonly RecordingId[];

  beforeAll(async () => {
    stack = await startStack({ LOG_LEVEL: 'error' });
    ids = await fillWithRecords(stack.storageFolder, 'room', RECORDINGS, (n) => ({
      egressId: egressIdOf(n),
      labels: labelsOf(n),
    }));
    const args = ['-r', join(ROOT, 'test/support/run-typescript.cjs'), 'src/rebuild/rebuild-command.ts'];
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...stack.env } });
    instance = await stack.start();
  }, 600_000);
  afterAll(() => stack?.close());

  const commands = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await stack.redisClient.info('stats'))?.[1]);
  const read = async (filter: object, after: string | null = null): Promise<Page['recordings']> => {
    const { data, code } = await instance.graphql<Page>(
      `query($filter: RecordingFilter, $after: String) { recordings(filter: $filter, first: 100, after: $after) {
        nodes { id } totalCount pageInfo { hasNextPage endCursor } } }`,
      { filter, after },
    );
    if (code !== null) throw new Error(code);
    return data.recordings;
  };
  const one = Math.floor(RECORDINGS / 3);

  it.each([
    ['by an egress id', { egressId: egressIdOf(one) }],
    ['by a typed egress id', { search: egressIdOf(one) }],
    ['by the beginning of an egress id and a label', { search: `EG_0000 case-${one}x` }],
    ['by a label', { labels: { case: `case-${one}x` } }],
    ['by a typed label', { search: `case-${one}x` }],
    ['by two labels', { labels: { team: `team-${one % 5}`, case: `case-${one}x` } }],
  ])('finds one %s, and does not look at the others', async (_what, filter) => {
    const before = await commands();
    const page = await read(filter);
    const took = (await commands()) - before;
    expect(page.nodes.map(({ id }) => id)).toEqual([ids[one]]);
    expect(page.totalCount).toBe(1);
    expect(took).toBeLessThan(MOST_COMMANDS);
  });

  it.each([
    ['a label', { labels: { course: 'course-7z' } }],
    ['a typed label', { search: 'course-7z' }],
  ])('pages through all that have %s, newest first, each once', async (_what, filter) => {
    const found: RecordingId[] = [];
    let after: string | null = null;
    do {
      const before = await commands();
      const page: Page['recordings'] = await read(filter, after);
      // Some for each that has the word: that many are looked at, so that the total is exact.
      expect((await commands()) - before).toBeLessThan(MOST_COMMANDS + 5 * FEW);
      expect(page.totalCount).toBe(FEW);
      found.push(...page.nodes.map(({ id }) => id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    const expected = ids.filter((_id, n) => n % (RECORDINGS / FEW) === 7);
    expect(found).toEqual(expected.toReversed());
  });

  it('pages by a label that a fifth of all have without looking through them', async () => {
    const before = await commands();
    const { nodes } = await read({ labels: { team: 'team-3' } });
    expect((await commands()) - before).toBeLessThan(MOST_COMMANDS);
    expect(nodes.map(({ id }) => id)).toEqual(
      ids
        .filter((_id, n) => n % 5 === 3)
        .toReversed()
        .slice(0, 100),
    );
  });

  it('finds nothing by what none of them has', async () => {
    expect(await read({ search: 'EG_nobody' })).toMatchObject({ nodes: [], totalCount: 0 });
    expect(await read({ labels: { case: 'nobody' } })).toMatchObject({ nodes: [], totalCount: 0 });
  });
});
