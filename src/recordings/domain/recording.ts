import type { ErrorCode } from '../../kernel/errors.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { EncodingPreset, RecordingLayout } from '../../kernel/recording-options.js';

export const FINAL_STATUSES = ['COMPLETE', 'FAILED', 'ABORTED', 'LIMIT_REACHED'] as const;
export type FinalStatus = (typeof FINAL_STATUSES)[number];
export const RECORDING_STATUSES = ['STARTING', 'ACTIVE', 'ENDING', ...FINAL_STATUSES] as const;
export type RecordingStatus = (typeof RECORDING_STATUSES)[number];

export const RECORDING_END_REASONS = [
  'STOP_REQUESTED',
  'START_CANCELLED',
  'START_TIMEOUT',
  'START_REJECTED',
  'ROOM_ENDED',
  'LIMIT_REACHED',
  'EGRESS_FAILED',
  'RECORDER_LOST',
  'RECORDER_LEFT',
  'STALE',
] as const;
export type RecordingEndReason = (typeof RECORDING_END_REASONS)[number];

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
  /** The session of the room that is recorded (RM_...); null until LiveKit named it. */
  readonly roomSid: string | null;
  /** Segments are written beside its file. */
  readonly crashProof: boolean;
  /** Its media was joined from its segments. */
  readonly recovered: boolean;
  /** Its egress left media in the bucket, in time or late. */
  readonly hasMedia: boolean;
}

/** What the caller of startRecording is told, now and whenever it asks again with its idempotency key. */
export type StartResult = 'ACTIVE' | { readonly code: ErrorCode; readonly message: string };

/** `lost`: proven dead, or to stand still, although LiveKit lists it for ever; never stopped again, never counted as live. */
export type EgressState = 'live' | 'over' | 'lost';

/** Looks at LiveKit in a row that found no egress of this recording; spaced, so that one bad moment counts once. */
export interface Absence {
  readonly looks: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What we have to remember about a recording and no client sees: no version, no event. */
export interface Upkeep {
  readonly maxDurationMs: number;
  /** When LiveKit was asked to start it; null: nobody has asked yet. */
  readonly startSentAt: number | null;
  /** Names the one who asks. */
  readonly startSentBy: string | null;
  /** The start may still show in LiveKit's lists for the first time until this instant; before it was sent: no bound. */
  readonly startPendingUntil: number;
  /** `error`: an answer that tells neither yes nor no; `unanswered`: none came. Both leave LiveKit's list to decide. */
  readonly startAnswer: 'none' | 'accepted' | 'refused' | 'error' | 'unanswered';
  readonly startResult: StartResult | null;
  /** Every egress of this recording that was ever seen. */
  readonly egresses: { readonly [egressId: string]: EgressState };
  readonly holdsSlot: boolean;
  /** The last look at all that LiveKit lists that mattered for the slot. */
  readonly listedAt: number | null;
  /** Somebody asked for the end: never restarted. */
  readonly stopRequestedAt: number | null;
  readonly absence: Absence | null;
  /** The bucket was asked for media after everything was over. */
  readonly bucketChecked: boolean;
  /** A deletion was asked for and is carried through, whatever happens. */
  readonly deletion: { readonly requestedAt: number; readonly by: string } | null;
  readonly deleted: boolean;
  /** By our clock: what its maximum duration is counted from. */
  readonly activeSince?: number;
  /** Its egress was ended by a limit of its worker, not of its duration. */
  readonly workerLimit?: boolean;
  /** It was given up for its pipeline: no media had come since then, ms, though its worker answered. */
  readonly stalledSince?: number;
  /** It ended although nobody ordered it, and the meeting is to be recorded further; gone once that was done or given up. */
  readonly continuation?: 'pending' | null;
  /** It is over without its file, and its segments are being joined; null or absent: they are not. */
  readonly recovery?: Recovery | null;
  /** The idempotency key that it was started with, so that the key outlives a Redis that was lost. */
  readonly key?: KeyUsed;
  /** Brought back from the bucket. */
  readonly returned?: Returned;
}

/** Instants in ms. `askedAt`: when somebody was told to join them; null: nobody yet. `otherwise`: how it ends where nothing can be joined. */
export interface Recovery {
  readonly since: number;
  readonly askedAt: number | null;
  readonly otherwise: { readonly status: FinalStatus; readonly error: string | null };
}

export interface KeyUsed {
  readonly caller: string;
  readonly key: string;
  readonly input: string;
}

/** `number`: of the rebuild, which grows with each; `rev`: as it came back; `copyAt`: when the copy it came from was current. */
export interface Returned {
  readonly number: number;
  readonly rev: number;
  readonly copyAt: number;
}

/** A recording as it is stored; `rev` grows with every write of it, seen by clients or not. */
export interface StoredRecording extends Recording {
  readonly rev: number;
  readonly upkeep: Upkeep;
}

export const VISIBLE_FIELDS = [
  'id',
  'roomId',
  'roomName',
  'status',
  'version',
  'egressId',
  'layout',
  'preset',
  'audioOnly',
  'filename',
  'sizeBytes',
  'durationMs',
  'requestedAt',
  'startedAt',
  'endedAt',
  'updatedAt',
  'endReason',
  'error',
  'labels',
  'continues',
  'continuedBy',
  'roomSid',
  'crashProof',
  'recovered',
  'hasMedia',
] as const satisfies readonly (keyof Recording)[];

/** The part that clients see, that events carry and that history folds to. */
export function visiblePart(stored: StoredRecording): Recording {
  const { rev: _rev, upkeep: _upkeep, ...visible } = stored;
  return visible;
}

/** Nothing of it records or is to be stopped any more. One that is over and not final has its media put together from its segments. */
export function isOver({ status, upkeep }: StoredRecording): boolean {
  return isFinal(status) || upkeep.recovery != null;
}

export function isFinal(status: RecordingStatus): status is FinalStatus {
  return (FINAL_STATUSES as readonly RecordingStatus[]).includes(status);
}
