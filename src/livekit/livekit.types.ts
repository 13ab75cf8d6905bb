/** The statuses of an egress, LiveKit's own words without their prefix. */
export type EgressStatus =
  'STARTING' | 'ACTIVE' | 'ENDING' | 'COMPLETE' | 'FAILED' | 'ABORTED' | 'LIMIT_REACHED';

/** What the egress says of why it ends, in its `details` and, where these say little, in its error. */
export type EgressEndCause =
  | 'stop-api'
  /** The worker was told to end at once, or killed it for a reason that it did not say. */
  | 'process-killed'
  /** The recorder is out of the room, or the room is over. */
  | 'source-closed'
  /** The worker's own limit, of length or of size: LiveKit says the same of both. */
  | 'limit-reached'
  | 'streams-stopped'
  /** Limits of the worker that have nothing to do with how long it records. */
  | 'cpu-exhausted'
  | 'out-of-memory'
  | 'disk-full'
  /** The recorder's process died. */
  | 'recorder-crashed'
  | 'pipeline-failed'
  | 'upload-failed'
  | 'failure';

export interface EgressFile {
  /** The object's path as the request named it; `location` is never to be parsed. */
  readonly filename: string;
  /** True once the upload is over and the file is where it should be, not in the egress' backup storage. */
  readonly uploaded: boolean;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly durationMs: number | null;
  readonly sizeBytes: number | null;
}

/** The key of the upload's metadata that names the deployment an egress belongs to. */
export const DEPLOYMENT_METADATA = 'tallylight-deployment';

/** Where an egress uploads to, as LiveKit echoes the request; secrets are masked there. */
export interface EgressBucket {
  readonly name: string;
  /** Empty: the store of the region; `gcp:` and the like for a store that is none of S3's. */
  readonly endpoint: string;
  /** The deployment that asked for it, from the upload's metadata; null where it carries no such mark. */
  readonly deployment: string | null;
}

/** One egress as LiveKit shows it, in our words; instants in ms, absent ones null. */
export interface EgressSeen {
  /** Empty where LiveKit reports a start that never got one (automatic egress). */
  readonly egressId: string;
  readonly roomName: string;
  /** The session of the room that it records (RM_...); null where LiveKit does not say. */
  readonly roomSid: string | null;
  readonly status: EgressStatus;
  /** The bucket that the request named, as LiveKit echoes it; null for an egress without storage of its own. */
  readonly bucket: EgressBucket | null;
  /** The file path that was asked for: names its recording. Null for an egress without a file output. */
  readonly filepath: string | null;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly updatedAtMs: number | null;
  readonly file: EgressFile | null;
  /** What it means and what to do, where that is known, then the egress' own words, without addresses, paths and secrets. */
  readonly error: string | null;
  readonly errorCode: number;
  readonly endCause: EgressEndCause | null;
  /** What has to be said of the media of an egress that ended: it is in a backup storage, or there is nothing in it. */
  readonly mediaProblem: string | null;
  /** How often LiveKit started it again by itself; 0 on servers that don't. */
  readonly retryCount: number;
  /** It was asked to write segments beside its file. */
  readonly segmented: boolean;
}

export interface LiveRoomSeen {
  readonly name: string;
  readonly sid: string;
  /** Recorders and agents are not counted; up to five seconds old. */
  readonly numParticipants: number;
  readonly numPublishers: number;
  /** A recorder is in the room, which is no proof that it lives. */
  readonly activeRecording: boolean;
  readonly createdAtMs: number;
}

export interface ParticipantSeen {
  readonly identity: string;
  readonly kind: 'standard' | 'ingress' | 'egress' | 'sip' | 'agent' | 'other';
  readonly publishes: boolean;
}

export type RecordingLayoutWord = 'grid' | 'speaker' | 'single-speaker';

/** Where an egress puts its file. */
export type EgressOutput =
  | { readonly kind: 'file'; readonly filepath: string }
  | {
      readonly kind: 's3';
      readonly filepath: string;
      readonly bucket: string;
      readonly region: string;
      readonly endpoint: string | null;
      /** Null: the egress finds its own credentials. */
      readonly accessKeyId: string | null;
      readonly secretAccessKey: string | null;
      readonly forcePathStyle: boolean;
      /** Goes along as metadata of the upload, which LiveKit echoes. */
      readonly deployment: string;
    };

/** MPEG-TS segments, each in the storage as soon as it is whole, and two lists of them that are rewritten with each. */
export interface SegmentsOutput {
  /** Its path is what the name of each segment begins with. */
  readonly output: EgressOutput;
  /** Names beside the segments: of the list of all, and of the list of the last few. */
  readonly playlistName: string;
  readonly livePlaylistName: string;
  readonly seconds: number;
}

export type EncodingPresetWord =
  | 'H264_720P_30'
  | 'H264_720P_60'
  | 'H264_1080P_30'
  | 'H264_1080P_60'
  | 'PORTRAIT_H264_720P_30'
  | 'PORTRAIT_H264_720P_60'
  | 'PORTRAIT_H264_1080P_30'
  | 'PORTRAIT_H264_1080P_60';

export interface StartEgress {
  readonly roomName: string;
  readonly layout: RecordingLayoutWord;
  readonly preset: EncodingPresetWord;
  readonly audioOnly: boolean;
  readonly output: EgressOutput;
  /** What it writes beside the file; null: nothing. The file of audio alone is then MP4 with AAC: segments know no other codec. */
  readonly segments: SegmentsOutput | null;
  /** The request is given up after this, ms, where that is sooner than its usual limit. */
  readonly withinMs?: number;
}

/**
 * A refusal is a 4xx other than 408 and 409. Those two, any 5xx and no answer leave the outcome unknown: an egress may
 * run that nobody has named to us. `answered` false: no answer of LiveKit's own came, and the request may still be
 * under way; a proxy's error page is none.
 */
export type StartOutcome =
  | { readonly kind: 'accepted'; readonly egress: EgressSeen }
  | { readonly kind: 'refused'; readonly status: number; readonly why: string }
  | {
      readonly kind: 'unknown';
      readonly answered: boolean;
      readonly status: number | null;
      readonly why: string;
    };

export type StopOutcome =
  /** LiveKit took the stop; the egress is as shown (ENDING, or ABORTED where it had not begun). */
  | { readonly kind: 'stopping'; readonly egress: EgressSeen }
  /** 412: the egress is listed in this final status, or is ENDING and its worker silent. */
  | { readonly kind: 'not-stoppable'; readonly status: EgressStatus }
  /** 404 */
  | { readonly kind: 'not-known' }
  /** 408: nobody answered for the egress; the stop may still take effect. */
  | { readonly kind: 'no-answer-from-worker' };

/** The answer to the question whether an egress' worker is alive. */
export type WorkerAnswer =
  | 'alive'
  /** LiveKit's own word that nobody serves this egress. */
  | 'silent'
  /** LiveKit lists the egress in a status in which the question tells nothing (ENDING or over). */
  | 'not-askable'
  | 'not-known';

/** What a recording asks of its worker: a browser, or its own media connection alone. A worker may have room for the latter only. */
export type WorkerKind = 'room_composite' | 'room_composite_audio';

/** The answer to the question whether any worker is there. */
export type FleetAnswer = 'there' | 'nobody' | 'room-not-open';

/** The name of an event that we send ourselves, to see whether it arrives; it says nothing of LiveKit. */
export const LOOPBACK_EVENT = 'tallylight_loopback';

interface EventBase {
  /** LiveKit's event id, equal in every repetition. */
  readonly id: string;
  readonly createdAtMs: number;
}
export type LiveKitEvent = EventBase &
  (
    | { readonly kind: 'egress'; readonly egress: EgressSeen }
    | { readonly kind: 'room-started' | 'room-finished'; readonly roomName: string }
    | {
        readonly kind: 'participant-joined' | 'participant-left';
        readonly roomName: string;
        readonly identity: string;
        readonly participantKind: ParticipantSeen['kind'];
      }
    /** Known to LiveKit, without meaning for recordings. */
    | { readonly kind: 'other'; readonly name: string; readonly roomName: string | null }
  );
