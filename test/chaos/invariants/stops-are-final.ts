import type { RecordingId } from '../../../src/kernel/ids.js';
import type { SimWorld } from '../world/sim-world.js';
import type { Invariant } from './invariant.js';

/** A recording that was being begun when the stop was taken is stored for a moment, and cancelled. */
const BEING_BEGUN_MS = 10_000;

/**
 * I17: a stop is final. Once a person was told that it is taken, LiveKit is asked for nothing that goes on from that recording, nothing
 * of it becomes active, and after a moment nothing is stored. A Redis that lost something since may have lost the stop.
 */
export function stopsAreFinal(): Invariant {
  let watched: SimWorld | null = null;
  const asked: string[] = [];
  /** When a process made the request its own, which is then on its way. */
  const claimedAt = new Map<RecordingId, number>();
  const watch = (world: SimWorld): void => {
    if (watched === world) return;
    watched = world;
    world.startsSent.push((id) => {
      const stopped = stoppedOf(world, id, 0, claimedAt.get(id));
      if (stopped !== null)
        asked.push(`LiveKit is asked to start ${id} although the stop of ${stopped} was taken`);
    });
  };
  return {
    name: 'I17',
    committed: (world, before, next) => {
      watch(world);
      if (before?.upkeep.startSentAt === null && next.upkeep.startSentAt !== null)
        claimedAt.set(next.id, world.clock.now());
      const isNew = before === null;
      if (!isNew && (before.status === 'ACTIVE' || next.status !== 'ACTIVE')) return null;
      const stopped = isNew
        ? next.continues && stoppedOf(world, next.continues, BEING_BEGUN_MS)
        : stoppedOf(world, next.id, 0);
      const what = isNew ? 'is begun' : 'becomes active';
      return stopped && `${next.id} ${what} although the stop of ${stopped} was taken`;
    },
    second: () => asked[0] ?? null,
  };
}

/** The recording of its chain, itself included, whose stop was taken so long ago, and before `until`. */
function stoppedOf(world: SimWorld, id: RecordingId, agoMs: number, until = Infinity): string | null {
  for (let at: RecordingId | null = id; at !== null; at = world.row(at)?.continues ?? null) {
    const stop = world.stopTaken.get(at);
    const isNow = stop?.losses === world.redis.losses && world.clock.now() - stop.at >= agoMs;
    if (isNow && stop.at < until) return at;
  }
  return null;
}
