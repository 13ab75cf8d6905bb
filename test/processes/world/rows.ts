import type { StoredRecording } from '../../../src/recordings/domain/recording.js';
import { readRow } from '../../../src/recordings/store/stored-row.js';
import type { GraphqlDoor } from '../../support/app.js';
import { FIELDS, type RecordingSeen } from '../../support/operations.js';
import type { World } from './world.js';

/** Every recording that the product shows, page by page. */
export async function readRows(instance: GraphqlDoor, roomId?: string): Promise<RecordingSeen[]> {
  const rows: RecordingSeen[] = [];
  let after: string | null = null;
  for (;;) {
    const page: Page = await readPage(instance, roomId, after);
    rows.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return rows;
    after = page.pageInfo.endCursor;
  }
}

interface Page {
  readonly nodes: readonly RecordingSeen[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

async function readPage(
  instance: GraphqlDoor,
  roomId: string | undefined,
  after: string | null,
): Promise<Page> {
  const { data, code } = await instance.graphql<{ recordings: Page }>(
    `query($filter: RecordingFilter, $after: String) { recordings(filter: $filter, first: 100, after: $after) {
      nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } }`,
    { filter: { roomId }, after },
  );
  if (code !== null) throw new Error(`recordings: ${code}`);
  return data.recordings;
}

/** The recordings as they are stored, also what clients are not shown. */
export async function readStored({ redisClient }: World): Promise<StoredRecording[]> {
  const keys = await redisClient.keys('{tl}:recording:*');
  const rows = await Promise.all(keys.map((key) => redisClient.getBuffer(key)));
  return rows.flatMap((row) => (row === null ? [] : [readRow(row).recording]));
}

/** Which recording holds which room. */
export async function readSlots({ redisClient }: World): Promise<Map<string, string>> {
  const prefix = '{tl}:slot:';
  const keys = await redisClient.keys(`${prefix}*`);
  const holders = await Promise.all(keys.map((key) => redisClient.hget(key, 'recording')));
  return new Map(keys.map((key, i) => [key.slice(prefix.length), holders[i] ?? '']));
}
