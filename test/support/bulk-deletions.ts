import type { TestInstance } from './app.js';
import { eventually } from './eventually.js';

export const BULK_FIELDS =
  'id status dryRun roomId total deletedCount failedCount attempt createdAt finishedAt deletedIds(first: 1000) failures(first: 1000) { recordingId code message attempts }';

export interface BulkSeen {
  readonly id: string;
  readonly status: string;
  readonly dryRun: boolean;
  readonly roomId: string | null;
  readonly total: number;
  readonly deletedCount: number;
  readonly failedCount: number;
  readonly attempt: number;
  readonly finishedAt: string | null;
  readonly deletedIds: readonly string[];
  readonly failures: readonly {
    readonly recordingId: string;
    readonly code: string;
    readonly message: string;
    readonly attempts: number;
  }[];
}

const DELETE_MANY = `mutation($ids: [ID!]!, $roomId: ID, $dryRun: Boolean) {
  deleteRecordings(ids: $ids, roomId: $roomId, dryRun: $dryRun) { ${BULK_FIELDS} } }`;
const DELETE_OF_ROOM = `mutation($roomId: ID!, $dryRun: Boolean) {
  deleteRoomRecordings(roomId: $roomId, dryRun: $dryRun) { ${BULK_FIELDS} } }`;
const DELETE_ROOM = `mutation($id: ID!, $recordings: RoomRecordingsPolicy) {
  deleteRoom(id: $id, recordings: $recordings) { id deletion { ${BULK_FIELDS} } } }`;

export async function askToDelete(
  instance: TestInstance,
  variables: { readonly ids: readonly string[]; readonly roomId?: string; readonly dryRun?: boolean },
  key?: string,
): Promise<BulkSeen> {
  return answered(
    await instance.graphql<{ deleteRecordings: BulkSeen } | null>(DELETE_MANY, variables, key),
    (data) => data.deleteRecordings,
  );
}

export async function askToEmpty(
  instance: TestInstance,
  variables: { readonly roomId: string; readonly dryRun?: boolean },
): Promise<BulkSeen> {
  return answered(
    await instance.graphql<{ deleteRoomRecordings: BulkSeen } | null>(DELETE_OF_ROOM, variables),
    (data) => data.deleteRoomRecordings,
  );
}

/** The code of the refusal, or null with the job that deletes the room's recordings. */
export async function deleteRoom(
  instance: TestInstance,
  id: string,
  recordings?: 'FAIL' | 'KEEP' | 'DELETE',
): Promise<{ readonly code: string | null; readonly deletion: BulkSeen | null }> {
  const answer = await instance.graphql<{ deleteRoom: { deletion: BulkSeen | null } } | null>(DELETE_ROOM, {
    id,
    recordings,
  });
  return { code: answer.code, deletion: answer.data?.deleteRoom.deletion ?? null };
}

export async function readBulk(instance: TestInstance, id: string, key?: string): Promise<BulkSeen | null> {
  const answer = await instance.graphql<{ bulkDeletion: BulkSeen | null }>(
    `query($id: ID!) { bulkDeletion(id: $id) { ${BULK_FIELDS} } }`,
    { id },
    key,
  );
  return answer.data.bulkDeletion;
}

export async function finished(instance: TestInstance, id: string): Promise<BulkSeen> {
  await eventually(
    async () => {
      const { data } = await instance.graphql<{ bulkDeletion: object | null }>(
        `query($id: ID!) { bulkDeletion(id: $id) { status total deletedCount failedCount attempt finishedAt } }`,
        { id },
      );
      const bulk: { finishedAt?: string | null } | null = data.bulkDeletion;
      return (bulk !== null && bulk.finishedAt != null) || `it is ${JSON.stringify(bulk)}`;
    },
    { withinMs: 100_000, everyMs: 50 },
  );
  const bulk = await readBulk(instance, id);
  if (bulk === null) throw new Error(`bulk deletion ${id} is gone`);
  return bulk;
}

function answered<T>(answer: { data: T | null; code: string | null }, read: (data: T) => BulkSeen): BulkSeen {
  if (answer.data === null) throw new Error(answer.code ?? 'no answer');
  return read(answer.data);
}
