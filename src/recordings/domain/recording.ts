import type { ErrorCode } from '../../kernel/errors.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';

export const RECORDING_STATUSES = [
  'STARTING',
  'ACTIVE',
  'ENDING',
  'COMPLETE',
  'FAILED',
  'ABORTED',
  'LIMIT_REACHED',
] as const;
export type RecordingStatus = (typeof RECORDING_STATUSES)[number];
export type FinalStatus = 'COMPLETE' | 'FAILED' | 'ABORTED' | 'LIMIT_REACHED';

export type RecordingEndReason =
  | 'STOP_REQUESTED'
  | 'START_CANCELLED'
  | 'START_TIMEOUT'
  | 'START_REJECTED'
  | 'ROOM_ENDED'
  | 'LIMIT_REACHED'
  | 'EGRESS_FAILED'
  | 'RECORDER_LOST'
  | 'STALE';

export type RecordingLayout = 'GRID' | 'SPEAKER' | 'SINGLE_SPEAKER';
export type EncodingPreset =
  | 'H264_720P_30'
  | 'H264_720P_60'
  | 'H264_1080P_30'
  | 'H264_1080P_60'
  | 'PORTRAIT_H264_720P_30'
  | 'PORTRAIT_H264_720P_60'
  | 'PORTRAIT_H264_1080P_30'
  | 'PORTRAIT_H264_1080P_60';

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type Labels = { readonly [key: string]: JsonValue };

/** What a client sees; instants in ms since the epoch. Every change of it is one event and one version. */
export interface Recording {
  readonly id: RecordingId;
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly status: RecordingStatus;
  readonly version: number;
  readonly egressId: string | null;
  readonly layout: RecordingLayout;
  readonly preset: EncodingPreset;
  readonly audioOnly: boolean;
  readonly filename: string | null;
  readonly sizeBytes: number | null;
  readonly durationMs: number | null;
  readonly requestedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly updatedAt: number;
  readonly endReason: RecordingEndReason | null;
  readonly error: string | null;
  readonly labels: Labels;
  readonly continues: RecordingId | null;
  readonly continuedBy: RecordingId | null;
  /** Its egress left media in the bucket, in time or late. */
  readonly hasMedia: boolean;
}

/** What the caller of startRecording is told, now and whenever it asks again with its idempotency key. */
export type StartResult = 'ACTIVE' | { readonly code: ErrorCode; readonly message: string };

/** `lost`: proven dead although LiveKit lists it for ever; never stopped again, never counted as live. */
export type EgressState = 'live' | 'over' | 'lost';

/** What we have to remember about a recording and no client sees: no version, no event. */
export interface Upkeep {
  readonly maxDurationMs: number;
  /** The start request is on its way until it is answered, at the latest until this instant. */
  readonly startPendingUntil: number;
  readonly startAnswer: 'none' | 'accepted' | 'refused' | 'unknown';
  readonly startResult: StartResult | null;
  /** Every egress of this recording that was ever seen. */
  readonly egresses: { readonly [egressId: string]: EgressState };
  readonly holdsSlot: boolean;
  /** Somebody asked for the end: never restarted. */
  readonly stopRequestedAt: number | null;
  /** LiveKit left the outcome of a stop open. */
  readonly stopInDoubt: boolean;
  /** Looks at LiveKit in a row, spaced, that found no egress of this recording. */
  readonly absentLooks: number;
  readonly absentSince: number | null;
  /** A deletion was asked for and is carried through, whatever happens. */
  readonly deletion: { readonly requestedAt: number; readonly by: string } | null;
  readonly deleted: boolean;
}

/** A recording as it is stored; `rev` grows with every write of it, seen by clients or not. */
export interface StoredRecording extends Recording {
  readonly rev: number;
  readonly upkeep: Upkeep;
}

export function isFinal(status: RecordingStatus): status is FinalStatus {
  return status === 'COMPLETE' || status === 'FAILED' || status === 'ABORTED' || status === 'LIMIT_REACHED';
}
