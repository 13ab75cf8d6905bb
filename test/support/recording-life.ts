import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { API_KEY, API_SECRET, type GraphqlDoor, type TestStack } from './app.js';
import { eventually } from './eventually.js';
import { createRoom, FIELDS, readRecording, type RecordingSeen, startIn } from './operations.js';

export const FINAL = ['COMPLETE', 'FAILED', 'ABORTED', 'LIMIT_REACHED'];
const ORDER = ['STARTING', 'ACTIVE', 'ENDING'];

/** How far a status is in a recording's life; every final one is as far as can be. */
export function rankOf(status: string): number {
  return FINAL.includes(status) ? ORDER.length : ORDER.indexOf(status);
}

/** A LiveKit access token with these grants. */
export async function livekitToken(grant: VideoGrant, identity = 'ann'): Promise<string> {
  const token = new AccessToken(API_KEY, API_SECRET, { identity });
  token.addGrant(grant);
  return token.toJwt();
}

/** A room of ours that is open in LiveKit, with somebody who publishes. */
export async function openRoom(
  { simulator }: Pick<TestStack, 'simulator'>,
  instance: GraphqlDoor,
  room: string,
  settings: object = {},
): Promise<void> {
  await createRoom(instance, room, settings);
  simulator.openRoom(room);
}

/** Throws what the start was answered when it failed. */
export async function started(
  instance: GraphqlDoor,
  room: string,
  more: object = {},
): Promise<RecordingSeen> {
  const { recording, code } = await startIn(instance, room, more);
  if (recording === null) throw new Error(`the start in ${room} failed: ${code}`);
  return recording;
}

/** Waits until the recording is as described, and returns it as it was then. */
export async function becomes(
  instance: GraphqlDoor,
  id: string,
  expected: Partial<RecordingSeen>,
): Promise<RecordingSeen> {
  let now: RecordingSeen | null = null;
  await eventually(async () => {
    now = await readRecording(instance, id);
    const fields = Object.keys(expected) as (keyof RecordingSeen)[];
    const shown = fields.map((field) => `${field} ${String(now?.[field])}`).join(', ');
    return fields.every((field) => now?.[field] === expected[field]) || `recording ${id} has ${shown}`;
  });
  return now ?? readRecording(instance, id);
}

/** Waits until nobody holds the room. */
export function roomIsFree(stack: TestStack, room: string): Promise<void> {
  return roomIsFreeIn(stack.redisClient, room);
}

export function roomIsFreeIn(
  redis: TestStack['redisClient'],
  room: string,
  withinMs?: number,
): Promise<void> {
  return eventually(
    async () => {
      const holder = await redis.hget(`{tl}:slot:${room}`, 'recording');
      return holder === null || `${holder} still holds ${room}`;
    },
    { withinMs },
  );
}

export interface EventSeen {
  readonly cursor: string;
  readonly type: string;
  readonly at: string;
  readonly cause: string;
  readonly previousStatus: string | null;
  readonly recording: RecordingSeen;
}

export const EVENT_FIELDS = `cursor type at cause previousStatus recording { ${FIELDS} }`;

interface HistoryPage {
  readonly nodes: readonly EventSeen[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** All of a recording's history, read page by page. */
export async function readHistory(instance: GraphqlDoor, id: string, first = 50): Promise<EventSeen[]> {
  const events: EventSeen[] = [];
  let after: string | null = null;
  for (;;) {
    const page: HistoryPage = await readHistoryPage(instance, id, first, after);
    events.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return events;
    after = page.pageInfo.endCursor;
  }
}

async function readHistoryPage(
  instance: GraphqlDoor,
  id: string,
  first: number,
  after: string | null,
): Promise<HistoryPage> {
  const { data, code } = await instance.graphql<{ recording: { history: HistoryPage } }>(
    `query($id: ID!, $first: Int, $after: String) { recording(id: $id) { history(first: $first, after: $after) {
      nodes { ${EVENT_FIELDS} } pageInfo { hasNextPage endCursor } } } }`,
    { id, first, after },
  );
  if (code !== null) throw new Error(`history of ${id}: ${code}`);
  return data.recording.history;
}

/** What is wrong with a recording's life: a gap, a status that went back, or a row that is not what the last event left. */
export function faultsOfLife(events: readonly EventSeen[], row: RecordingSeen): string[] {
  const faults: string[] = [];
  const versions = events.map(({ recording }) => recording.version);
  if (versions.some((version, i) => version !== i + 1)) faults.push(`versions ${versions.join(' ')}`);
  if (row.version !== events.length) faults.push(`version ${row.version} after ${events.length} events`);
  if (events[0]?.type !== 'REQUESTED') faults.push(`begins with ${events[0]?.type}`);
  const statuses = events.map(({ recording }) => recording.status);
  statuses.forEach((status, i) => {
    const before = statuses[i - 1];
    if (before === undefined || before === status) return;
    if (FINAL.includes(before) || rankOf(status) <= rankOf(before)) faults.push(`${before} became ${status}`);
  });
  const last = events.at(-1)?.recording;
  if (JSON.stringify(last) !== JSON.stringify(row)) {
    faults.push(`the row is ${JSON.stringify(row)}, its last event left ${JSON.stringify(last)}`);
  }
  return faults;
}

/** Waits until the row and the history, read one after the other, are of one version, and returns what is wrong with them. */
export async function lifeFaults(instance: GraphqlDoor, id: string): Promise<string[]> {
  let faults: string[] = [];
  await eventually(async () => {
    const before = await readRecording(instance, id);
    const events = await readHistory(instance, id, 3);
    const row = await readRecording(instance, id);
    faults = faultsOfLife(events, row);
    return row.version === before.version || 'it changes while it is read';
  });
  return faults;
}
