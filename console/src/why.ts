import type { RecordingDetail } from './api/contract.js';

/** Why a recording ended as it did, and what to do: for somebody who has never read the contract. */
export interface Why {
  readonly sentence: string;
  /** Null: there is nothing to do. */
  readonly todo: string | null;
}

type Ended = Pick<RecordingDetail, 'status' | 'endReason' | 'mediaPath' | 'continuedBy'>;

const WORKERS =
  'Check that an egress worker is running and has free CPU (a room composite wants about four cores).';
const TEXTS: Record<NonNullable<Ended['endReason']>, Why> = {
  STOP_REQUESTED: { sentence: 'Somebody stopped it.', todo: null },
  START_CANCELLED: {
    sentence: 'It was stopped before the recorder was ready, so nothing was recorded.',
    todo: null,
  },
  START_TIMEOUT: {
    sentence: 'The egress did not become active in time.',
    todo: `${WORKERS} Then start it again.`,
  },
  START_REJECTED: {
    sentence: 'LiveKit refused the start, or had no worker that could take it.',
    todo: `${WORKERS} If the message names a request or a template, correct the settings of the room.`,
  },
  ROOM_ENDED: { sentence: 'The room was closed, or everybody left it.', todo: null },
  LIMIT_REACHED: {
    sentence: 'The maximum duration was reached.',
    todo: 'If meetings in this room last longer, raise the maximum duration in the settings of the room.',
  },
  EGRESS_FAILED: {
    sentence: 'The egress reported a failure.',
    todo: 'Look for the egress id in the log of the egress workers; an upload that was refused points to the storage credentials of the egress service.',
  },
  RECORDER_LOST: {
    sentence:
      'The egress worker died while it recorded, or nothing came of it any more: LiveKit still lists the egress.',
    todo: 'Look at the CPU, the memory and the restarts of the egress workers. What was in the file of a worker that died is lost unless the room is recorded crash-proof.',
  },
  RECORDER_LEFT: {
    sentence: 'The recorder left the room although the meeting went on, and nobody had ordered it.',
    todo: 'Look for the egress id in the log of the egress workers: its browser lost the room, or somebody removed the participant.',
  },
  STALE: {
    sentence: 'LiveKit no longer knows the egress, or it stopped reporting and the room is over.',
    todo: 'Check whether LiveKit or its Redis was restarted without keeping its data.',
  },
};

/** Null while it goes on. */
export function whyEnded(recording: Ended): Why | null {
  const { status, endReason, mediaPath, continuedBy } = recording;
  if (status === 'STARTING' || status === 'ACTIVE') return null;
  const text = endReason ? TEXTS[endReason] : undefined;
  const sentence = text?.sentence ?? `It ended${endReason ? ` (${endReason})` : ''}.`;
  if (status === 'ENDING')
    return { sentence: `${sentence} The file is being finished and uploaded.`, todo: null };
  const bad = status === 'FAILED' || status === 'ABORTED';
  const kept = bad && mediaPath !== null ? ' It left media all the same, which can be played.' : '';
  const further = continuedBy ? ' The meeting was recorded further in a new recording.' : '';
  return { sentence: sentence + kept + further, todo: text?.todo ?? null };
}

const CAUSES: Record<string, string> = {
  livekit: 'LiveKit reported it',
  timeout: 'the start deadline passed',
  deadline: 'the start deadline passed',
  limit: 'the maximum duration was reached',
  embedded: 'the embedded stack',
};

/** Who or what caused a step: `key:ci` → `API key ci`. */
export function causeWords(cause: string): string {
  const [kind = '', ...rest] = cause.split(':');
  const name = rest.join(':');
  if (CAUSES[cause]) return CAUSES[cause];
  if (kind === 'key') return `API key ${name}`;
  if (kind === 'livekit') return `${name}, by LiveKit token`;
  if (kind === 'sweep') return `sweep ${name.replaceAll('-', ' ')}`;
  return cause;
}
