import { eventually } from '../../test/support/eventually.js';
import { times } from './load.js';
import type { Target } from './target.js';

const CREATE = 'mutation ($id: ID!, $name: String!) { createRoom(input: { id: $id, name: $name }) { id } }';
const START = 'mutation ($room: ID!) { startRecording(input: { roomId: $room }) { id status } }';
const STOP = 'mutation ($id: ID!) { stopRecording(id: $id) { id } }';
const IN_PROGRESS =
  '{ recordings(first: 1, filter: { statuses: [STARTING, ACTIVE, ENDING] }) { totalCount } }';

/** Rooms of ours that are open in LiveKit, with somebody who publishes. */
export async function openRooms(target: Target, count: number): Promise<string[]> {
  const rooms = Array.from({ length: count }, (_, i) => `bench-${i}`);
  await times(count, 16, async (i) => {
    await target.graphql(CREATE, { id: rooms[i], name: rooms[i] });
    target.livekit.openRoom(rooms[i]!);
  });
  return rooms;
}

/** Answers its id once it is ACTIVE. */
export async function startIn(target: Target, room: string): Promise<string> {
  const { startRecording } = await target.graphql<{ startRecording: { id: string; status: string } }>(START, {
    room,
  });
  if (startRecording.status !== 'ACTIVE') throw new Error(`${startRecording.id} is ${startRecording.status}`);
  return startRecording.id;
}

/** Stops them and waits until all are over and settled. */
export async function stopAll(target: Target, ids: readonly string[]): Promise<void> {
  await times(ids.length, 16, (i) => target.graphql(STOP, { id: ids[i] }));
  await eventually(
    async () => {
      const { recordings } = await target.graphql<{ recordings: { totalCount: number } }>(IN_PROGRESS);
      const unsettled = await target.redisClient.zcard('{tl}:unsettled');
      return (
        recordings.totalCount + unsettled === 0 ||
        `${recordings.totalCount} are in progress, ${unsettled} unsettled`
      );
    },
    { withinMs: 120_000, everyMs: 200 },
  );
}
