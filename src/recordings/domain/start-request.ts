import type { Fact } from './facts.js';
import { nothing, type Patch, startResult } from './patch.js';
import { isFinal, type StoredRecording } from './recording.js';
import { THRESHOLDS } from './thresholds.js';

/** Nobody has asked LiveKit to start it. Once it is final, or was dropped, nobody ever will. */
export function isUnsent({ upkeep }: StoredRecording): boolean {
  return upkeep.startSentAt === null;
}

/** Whoever is named in the row afterwards sends the request, once; everybody else leaves it alone for ever. */
export function startSending(now: StoredRecording, fact: Extract<Fact, { kind: 'start-sending' }>): Patch {
  if (!isUnsent(now) || now.upkeep.startAnswer !== 'none') return nothing;
  if (isFinal(now.status)) return nothing;
  if (now.status !== 'STARTING') return dropped(now, 'it was stopped before LiveKit was asked', fact.at);
  if (fact.at - now.requestedAt > fact.windowMs)
    return dropped(now, 'this server was held up, and LiveKit was not asked; start it again', fact.at);
  return {
    internal: {
      startSentAt: fact.at,
      startSentBy: fact.by,
      startPendingUntil: fact.at + fact.limitMs + THRESHOLDS.listMarginMs,
    },
  };
}

/** LiveKit has not been asked and will not be: nothing of it can begin. */
function dropped(now: StoredRecording, why: string, at: number): Patch {
  const internal = { startAnswer: 'refused', startPendingUntil: at } as const;
  if (now.status === 'ENDING') return { internal, visible: { status: 'ABORTED', endedAt: at } };
  return {
    visible: { status: 'FAILED', endReason: 'START_REJECTED', endedAt: at, error: why },
    internal: {
      ...internal,
      ...startResult(now, {
        code: 'RECORDING_START_REJECTED',
        message: `recording ${now.id} did not start: ${why}`,
      }),
    },
  };
}
