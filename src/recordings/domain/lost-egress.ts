import type { Fact, MediaSeen } from './facts.js';
import { join, nothing, type Patch, startResult } from './patch.js';
import { isOver, type StoredRecording } from './recording.js';
import { isAbsenceProven, liveEgresses } from './slot.js';

const STALE = 'it has long neither reported nor answered, and nobody publishes in its room';

/** LiveKit no longer knows the egress: the bucket has the last word. */
export function gone(now: StoredRecording, fact: Extract<Fact, { kind: 'egress-gone' }>): Patch {
  if (isOver(now) || (fact.proof === 'absence' && !isAbsenceProven(now))) return nothing;
  const listed = fact.proof === 'silence';
  const over = Object.fromEntries(liveEgresses(now).map((id) => [id, 'over' as const]));
  const internal = listed
    ? {}
    : {
        egresses: { ...now.upkeep.egresses, ...over },
        absence: null,
        listedAt: fact.at,
        bucketChecked: true,
      };
  const ended = endOfGone(now, fact, internal);
  // What LiveKit still lists may run, and holds the room until it is over or proven dead.
  return listed
    ? join(ended, {
        effects: liveEgresses(now).map((egressId) => ({ do: 'stop-egress', egressId, why: STALE })),
      })
    : ended;
}

function endOfGone(
  now: StoredRecording,
  fact: Extract<Fact, { kind: 'egress-gone' }>,
  internal: Patch['internal'],
): Patch {
  const end = { endedAt: fact.at, ...(fact.media ? mediaFound(fact.media) : {}) };
  if (fact.media)
    return {
      visible: { ...end, status: withMedia(now), endReason: reasonGone(now) },
      internal: { ...internal, ...startResult(now, 'ACTIVE') },
    };
  if (now.status === 'ENDING' && now.endReason === 'START_CANCELLED')
    return { visible: { ...end, status: 'ABORTED' }, internal };
  if (Object.keys(now.upkeep.egresses).length === 0) return neverAccepted(now, end, internal);
  const error =
    fact.proof === 'silence'
      ? 'its egress neither reported nor answered any more, and nobody published in its room'
      : 'LiveKit no longer knows the egress, and it left no media';
  const failed = {
    code: 'RECORDING_START_FAILED',
    message: `recording ${now.id} ended before it was active: ${error}`,
  } as const;
  return {
    visible: { ...end, status: 'ABORTED', endReason: 'STALE', error },
    internal: { ...internal, ...startResult(now, failed) },
  };
}

function neverAccepted(now: StoredRecording, end: { endedAt: number }, internal: Patch['internal']): Patch {
  const error = 'LiveKit could not accept the start request; is an egress worker with free capacity there?';
  const refused = {
    code: 'RECORDING_START_REJECTED',
    message: `recording ${now.id} did not start: ${error}`,
  } as const;
  return {
    visible: { ...end, status: 'FAILED', endReason: 'START_REJECTED', error },
    internal: { ...internal, ...startResult(now, refused) },
  };
}

/** Whoever notices its end: what its maximum duration ended is LIMIT_REACHED. */
function withMedia({ endReason }: StoredRecording): 'COMPLETE' | 'LIMIT_REACHED' {
  return endReason === 'LIMIT_REACHED' ? 'LIMIT_REACHED' : 'COMPLETE';
}

function reasonGone(now: StoredRecording): StoredRecording['endReason'] {
  return now.endReason === 'START_CANCELLED' || now.endReason === 'LIMIT_REACHED' ? now.endReason : 'STALE';
}

/** Proven silence or standstill ends the recording, not the egress: LiveKit lists that for ever, and it is remembered as dead. */
export function recorderLost(now: StoredRecording, fact: Extract<Fact, { kind: 'recorder-lost' }>): Patch {
  const { egressId, media, at, stalledSince } = fact;
  if (now.upkeep.egresses[egressId] !== 'live') return nothing;
  // A child that outlived its worker sits in the room as its recorder: that ends what it may record, so a sweep counts all first.
  const dead: Patch = { internal: { egresses: { ...now.upkeep.egresses, [egressId]: 'lost' } } };
  if (isOver(now) || egressId !== now.egressId) return dead;
  if (stalledSince === undefined) return join(dead, endOfLost(now, media, at, WORKER_DIED));
  const since = new Date(stalledSince).toISOString();
  const stalled = endOfLost(now, media, at, `no media came of the recording since ${since}`);
  return join(join(dead, stalled), { internal: { stalledSince } });
}

const WORKER_DIED = 'the egress worker died, and what it had recorded is lost';

function endOfLost(now: StoredRecording, media: MediaSeen | null, at: number, error: string): Patch {
  if (media) {
    const visible = {
      ...mediaFound(media),
      status: withMedia(now),
      endReason: now.endReason === 'LIMIT_REACHED' ? now.endReason : 'RECORDER_LOST',
      endedAt: at,
    } as const;
    return { visible, internal: { ...startResult(now, 'ACTIVE'), bucketChecked: true } };
  }
  if (now.endReason === 'START_CANCELLED') return { visible: { status: 'ABORTED', endedAt: at } };
  const result = {
    code: 'RECORDING_START_FAILED',
    message: `recording ${now.id} ended before it was active: ${error}`,
  } as const;
  return {
    visible: { status: 'FAILED', endReason: 'RECORDER_LOST', endedAt: at, error },
    internal: startResult(now, result),
  };
}

export function mediaFound(media: MediaSeen): { hasMedia: true; sizeBytes: number } {
  return { hasMedia: true, sizeBytes: media.sizeBytes };
}
