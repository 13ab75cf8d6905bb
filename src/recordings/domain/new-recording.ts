import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { EncodingPreset, RecordingLayout } from '../../kernel/recording-options.js';
import type { Effect } from './facts.js';
import type { Labels, StoredRecording } from './recording.js';
import { nextLookMs } from './slot.js';

/** What a start asks for, after the room's settings filled what it left open. */
export interface Attempt {
  readonly id: RecordingId;
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly layout: RecordingLayout;
  readonly preset: EncodingPreset;
  readonly audioOnly: boolean;
  readonly crashProof: boolean;
  readonly maxDurationMs: number;
  readonly labels: Labels;
  readonly requestedAt: number;
  /** How long a request to start may take at LiveKit. */
  readonly startLimitMs: number;
}

/** An attempt before the first side effect: STARTING, first version, holding its room. */
export function newRecording({ maxDurationMs, startLimitMs, ...attempt }: Attempt): StoredRecording {
  return {
    ...attempt,
    status: 'STARTING',
    version: 1,
    egressId: null,
    filename: null,
    sizeBytes: null,
    durationMs: null,
    startedAt: null,
    endedAt: null,
    updatedAt: attempt.requestedAt,
    endReason: null,
    error: null,
    continues: null,
    continuedBy: null,
    roomSid: null,
    recovered: false,
    hasMedia: false,
    rev: 1,
    upkeep: {
      maxDurationMs,
      startSentAt: null,
      startSentBy: null,
      startPendingUntil: attempt.requestedAt + startLimitMs,
      startAnswer: 'none',
      startResult: null,
      egresses: {},
      holdsSlot: true,
      listedAt: null,
      stopRequestedAt: null,
      absence: null,
      bucketChecked: false,
      deletion: null,
      deleted: false,
    },
  };
}

/** In the outbox with the commit that stores it, so that no crash leaves an attempt without somebody who comes back to it. */
export function firstEffects(recording: StoredRecording): Effect[] {
  const at = recording.requestedAt;
  return [
    { do: 'reconcile', at: at + (nextLookMs(recording, at) ?? 0) },
    { do: 'write-metadata' },
    { do: 'signal-room', at },
  ];
}
