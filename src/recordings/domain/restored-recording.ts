import type { Effect } from './facts.js';
import { isFinal, type StoredRecording } from './recording.js';
import { isUnsettled, liveEgresses } from './slot.js';

/**
 * Numbers leap by more than can have been given since the copy was made, once per rebuild: a client that saw a later
 * version than the copy's never sees it again, and whoever still holds a row from before can't write over the one that came back.
 */
export const VERSION_LEAP = 1_000;
export const REV_LEAP = 1_000_000;

/** The recording as rebuild `number` brings it back from a copy; the same copy gives the same row in the same rebuild. */
export function restoredRecording(copy: StoredRecording, number: number, at: number): StoredRecording {
  const rebuilds = number - (copy.upkeep.returned?.number ?? 0);
  const rev = copy.rev + rebuilds * REV_LEAP;
  // The copy may be from before its request was sent, and it is sent once at most.
  const startSentAt = copy.upkeep.startSentAt ?? copy.requestedAt;
  return {
    ...copy,
    version: copy.version + rebuilds * VERSION_LEAP,
    updatedAt: Math.max(at, copy.updatedAt),
    rev,
    upkeep: {
      ...copy.upkeep,
      // Whoever was told to do it was told by the Redis that is lost.
      ...(copy.upkeep.recovery && { recovery: { ...copy.upkeep.recovery, askedAt: null } }),
      absence: null,
      startSentAt,
      returned: { number, rev, copyAt: copy.updatedAt },
    },
  };
}

/** What was under way for it when Redis was lost, in the outbox again as its state needs it. */
export function effectsOfRestore(recording: StoredRecording, at: number): Effect[] {
  if (!isUnsettled(recording)) return [];
  const { status, upkeep } = recording;
  const effects: Effect[] = [{ do: 'write-metadata' }, { do: 'reconcile', at }];
  // The stop may have been filed and never sent; one more is harmless.
  if (status === 'ENDING' || isFinal(status))
    effects.push(...liveEgresses(recording).map((egressId) => ({ do: 'stop-egress', egressId }) as const));
  if (upkeep.deletion !== null) effects.push({ do: 'finish-deletion', at });
  return effects;
}
