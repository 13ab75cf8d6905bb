import { EgressStatus } from '@livekit/protocol';
import { isOver, type StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: a silence that is proven, the pauses of the first tries, and a start. */
const GOES_ON_MS = 90_000;
/** After more in a row the pauses grow, and there is an end to it. */
const TRIES = 3;

/**
 * I18: while somebody publishes in a session that was recorded, nothing was ordered, the room wants it and a worker has a place,
 * somebody records it again within the bound.
 */
export function meetingsAreRecordedOn(): Invariant {
  const lasting = new Lasting(GOES_ON_MS);
  return {
    name: 'I18',
    second: (world) => {
      if (world.engine.fleet.offer() === null) return lasting.longest(world, []) && null;
      const recorded = new Set(world.runningEgresses().map(({ room }) => room));
      const left = [...world.rooms.rooms.values()]
        .filter(({ id, recordingSettings }) => recordingSettings.restartWhenLost && !recorded.has(id))
        .flatMap(({ id }) => lastWanted(world, id));
      const found = lasting.longest(world, left);
      return found === null ? null : `${found} ended by itself, the meeting goes on and nobody records it`;
    },
  };
}

/** The room's last recording, where nobody wanted it to end and its session goes on with publishers. */
function lastWanted(world: SimWorld, roomId: string): string[] {
  const live = world.engine.rooms.find(roomId);
  if (!live || live.publishers.length === 0) return [];
  const all = world.rows().filter((row) => row.roomId === roomId);
  const [last] = all.sort((a, b) => (a.id < b.id ? 1 : -1));
  if (last === undefined || !isOver(last) || chainOf(world, last).length > TRIES) return [];
  const chain = chainOf(world, last);
  // What went on from it was deleted.
  if (last.continuedBy !== null) return [];
  const wasThere = chain.some(({ startedAt }) => startedAt !== null);
  const inSession = chain.some(({ egressId }) => world.engine.egress(egressId ?? '')?.roomId === live.sid);
  return wasThere && inSession && !chain.some((row) => wasOrdered(world, row)) ? [last.id] : [];
}

function chainOf(world: SimWorld, last: StoredRecording): StoredRecording[] {
  const chain = [last];
  for (let at = last.continues; at !== null && chain.length < 20;) {
    const row = world.row(at);
    if (row === null) break;
    chain.push(row);
    at = row.continues;
  }
  return chain;
}

/** By a person, by the length that was asked for, or by the worker's own limit of length. */
function wasOrdered(world: SimWorld, { id, upkeep, startedAt, endedAt, egressId }: StoredRecording): boolean {
  if (world.stopAsked.has(id) || upkeep.deletion !== null || upkeep.deleted) return true;
  if (world.engine.egress(egressId ?? '')?.status === EgressStatus.EGRESS_LIMIT_REACHED) return true;
  const lasted = (endedAt ?? 0) - (startedAt ?? endedAt ?? 0);
  return lasted >= upkeep.maxDurationMs - CLOCKS_DIFFER_MS;
}

const CLOCKS_DIFFER_MS = 10_000;
