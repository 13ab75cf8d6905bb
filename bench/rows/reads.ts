import { plantRecordings } from '../../test/support/planted-recordings.js';
import type { Bench } from '../support/figures.js';
import { measure } from '../support/measure.js';
import { times } from '../support/load.js';
import { Target } from '../support/target.js';

const FIELDS =
  'id roomId status version egressId endReason error sizeBytes durationMs mediaPath startedAt endedAt labels filename';
const ONE = `query One($id: ID!) { recording(id: $id) { ${FIELDS} } }`;
const PAGE = `query Page { recordings(first: 100) { nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } totalCount } }`;
const CLIENTS = 32;

export const reads: Bench = {
  name: 'reads',
  measures: 'one recording by GraphQL, 32 clients; pages of 100 with their count',
  run: async ({ quick }) => {
    const stored = quick ? 500 : 10_000;
    const target = await Target.start();
    const planted = await plantRecordings(target.redis.url, stored, () => undefined);
    const ids = planted.map(({ id }) => id);
    const one = (i: number): Promise<unknown> => target.graphql(ONE, { id: ids[(i * 7_919) % ids.length] });
    const page = (): Promise<unknown> => target.graphql(PAGE);
    const conditions = { stored };
    try {
      await times(quick ? 50 : 5_000, CLIENTS, one);
      await times(quick ? 10 : 200, 1, page);
      return [
        await measure(target, {
          ...{ what: `one recording by GraphQL, ${CLIENTS} clients`, conditions },
          ...{ count: quick ? 200 : 20_000, atOnce: CLIENTS, task: one },
        }),
        await measure(target, {
          ...{ what: 'page of 100, one client', conditions },
          ...{ count: quick ? 20 : 1_000, atOnce: 1, task: page },
        }),
      ];
    } finally {
      await target.close();
    }
  },
};
