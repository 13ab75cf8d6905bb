import { performance } from 'node:perf_hooks';
import type { RoomId } from '../../src/kernel/ids.js';
import { eventually } from '../../test/support/eventually.js';
import { plantRecordings } from '../../test/support/planted-recordings.js';
import type { Bench, Figures } from '../support/figures.js';
import { rounded } from '../support/figures.js';
import { Target } from '../support/target.js';

const ROOMS = 100;
const DELETE = 'mutation ($ids: [ID!]!) { deleteRecordings(ids: $ids) { id } }';
const READ = 'query ($id: ID!) { bulkDeletion(id: $id) { status deletedCount } }';

export const bulk: Bench = {
  name: 'bulk',
  measures: 'the deletion of 1,000 recordings in 100 rooms, from its request to its end',
  run: async ({ quick }) => {
    const target = await Target.start();
    try {
      const count = quick ? 100 : 1_000;
      await once(target, 100);
      const rounds: Figures[] = [];
      for (let round = 0; round < (quick ? 1 : 3); round += 1) rounds.push(await once(target, count));
      // The one in the middle.
      return [rounds.toSorted((a, b) => a.perSecond! - b.perSecond!)[Math.floor(rounds.length / 2)]!];
    } finally {
      await target.close();
    }
  },
};

async function once(target: Target, count: number): Promise<Figures> {
  const planted = await plantRecordings(
    target.redis.url,
    count,
    (key, body) => target.s3.plant(`recs/${key}`, body),
    (i) => ({ roomId: `bench-${i % ROOMS}` as RoomId }),
  );
  const before = await target.counts();
  const cpuBefore = target.usage().cpuMs;
  const begun = performance.now();
  const { deleteRecordings } = await target.graphql<{ deleteRecordings: { id: string } }>(DELETE, {
    ids: planted.map(({ id }) => id),
  });
  let deleted = 0;
  await eventually(
    async () => {
      const { bulkDeletion } = await target.graphql<{
        bulkDeletion: { status: string; deletedCount: number };
      }>(READ, { id: deleteRecordings.id });
      deleted = bulkDeletion.deletedCount;
      return bulkDeletion.status.startsWith('COMPLETED') || `${deleted} are deleted`;
    },
    { withinMs: 120_000, everyMs: 10 },
  );
  const seconds = (performance.now() - begun) / 1_000;
  if (deleted !== count) throw new Error(`${deleted} of ${count} were deleted`);
  const usage = target.usage();
  const after = await target.counts();
  return {
    what: `bulk deletion of ${count} in ${ROOMS} rooms`,
    conditions: { count, rooms: ROOMS, keys: 2 * count },
    perSecond: rounded(count / seconds, 0),
    cpuMsEach: rounded((usage.cpuMs - cpuBefore) / count),
    peakRssMiB: rounded(usage.peakRssMiB, 0),
    counts: {
      seconds: rounded(seconds, 3),
      s3Requests: after.s3Requests - before.s3Requests,
      redisCommandsEach: rounded((after.redisCommands - before.redisCommands) / count, 1),
    },
  };
}
