import { awaitsContinuation } from './continuation.js';
import { isOver, type StoredRecording } from './recording.js';
import { THRESHOLDS } from './thresholds.js';

/** What is known of an open room whose recording is to start by itself. Instants in ms. */
export interface AutoRecordCase {
  /** Participants that have to publish. */
  readonly from: number;
  readonly sid: string;
  /** Participants that publish; recorders and agents are none of them. */
  readonly publishers: number;
  /** The recordings of the room, newest first; as many as could matter. */
  readonly recordings: readonly StoredRecording[];
  /** Somebody else's egress records the room: LiveKit's own automatic egress, or another product's. */
  readonly recordedByOthers: boolean;
  readonly now: number;
}

export type AutoRecordVerdict =
  | { readonly do: 'nothing'; readonly why: 'not-yet' | 'stopped' | 'recorded-by-others' }
  | { readonly do: 'recorded' }
  /** It should record and does not, and somebody is at it already or was a moment ago. */
  | { readonly do: 'wait'; readonly until: number }
  | { readonly do: 'start' };

/** Whether a recording of the room has to be started now. A stop by a person stays a stop for its session. */
export function autoRecordVerdict(room: AutoRecordCase): AutoRecordVerdict {
  const { from, sid, publishers, recordings, recordedByOthers, now } = room;
  const [last] = recordings;
  if (last && !isOver(last))
    return last.status === 'ACTIVE'
      ? { do: 'recorded' }
      : { do: 'wait', until: now + THRESHOLDS.autoRecordAgainMs };
  const ofSession = recordings.filter(({ roomSid, requestedAt }) =>
    roomSid === null ? now - requestedAt < THRESHOLDS.goodWhileMs : roomSid === sid,
  );
  const [latest] = ofSession;
  if (latest && latest.upkeep.stopRequestedAt !== null) return { do: 'nothing', why: 'stopped' };
  if (publishers < from) return { do: 'nothing', why: 'not-yet' };
  if (recordedByOthers) return { do: 'nothing', why: 'recorded-by-others' };
  if (latest && awaitsContinuation(latest)) return { do: 'wait', until: now + THRESHOLDS.autoRecordAgainMs };
  const failed = ofSession.findIndex(({ startedAt }) => startedAt !== null);
  const inARow = failed === -1 ? ofSession.length : failed;
  const { pausesMs } = THRESHOLDS;
  const pauseMs = inARow === 0 ? 0 : (pausesMs[Math.min(inARow + 1, pausesMs.length - 1)] ?? 0);
  const until = (latest?.endedAt ?? 0) + pauseMs;
  return until > now ? { do: 'wait', until } : { do: 'start' };
}
