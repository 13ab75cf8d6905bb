import type { RecordingId } from '../../kernel/ids.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';

/** An object of the bucket that is this recording's media. */
export interface MediaSeen {
  readonly sizeBytes: number;
}

/** Whether the meeting that an egress recorded went on when its source closed; looked at before anything is said of it. */
export type RoomAtEnd = 'goes-on' | 'over';

/** What was seen or asked, in the past tense, with its own time (`at`, ms). The state machine decides each in every status. */
export type Fact = { readonly at: number } &
  /**
   * LiveKit is about to be asked, by whoever `by` names, with a request that may take `limitMs`. Later than `windowMs` after
   * it was requested, or once it was stopped, it is not asked any more.
   */
  (
    | {
        readonly kind: 'start-sending';
        readonly by: string;
        readonly limitMs: number;
        readonly windowMs: number;
      }
    | { readonly kind: 'start-accepted'; readonly egress: EgressSeen }
    /** LiveKit's definite no. `credentials`: it refused us, not the recording. */
    | { readonly kind: 'start-refused'; readonly why: string; readonly credentials: boolean }
    | { readonly kind: 'start-unknown'; readonly answered: boolean; readonly why: string }
    | { readonly kind: 'start-deadline-passed'; readonly waitedMs: number }
    | { readonly kind: 'start-cancelled' }
    | { readonly kind: 'duration-limit-passed' }
    /** Somebody wants its end, or its continuation's. Stored before LiveKit is asked. */
    | { readonly kind: 'stop-requested' }
    /** LiveKit took a stop that was asked of us; `egress` as its answer showed it, null where the outcome was left open. */
    | { readonly kind: 'stop-taken'; readonly egress: EgressSeen | null }
    /** One report or look at one egress of this recording. */
    | { readonly kind: 'egress-seen'; readonly egress: EgressSeen; readonly room?: RoomAtEnd }
    /** A look at all that LiveKit lists, by means that can't be falsely empty: every egress of this recording, none missing. */
    | {
        readonly kind: 'egresses-listed';
        readonly egresses: readonly EgressSeen[];
        /** Egresses whose worker has not been silent: none of them is missing, whatever the list says. */
        readonly alive?: readonly string[];
        readonly room?: RoomAtEnd;
      }
    /**
     * LiveKit no longer knows its egress: by absence seen often enough, or by its own not-found to the stop and to the question.
     * `silence`: it still lists it, but the egress has long neither reported nor answered, and its room is gone or nobody publishes there.
     */
    | {
        readonly kind: 'egress-gone';
        readonly proof: 'absence' | 'not-found' | 'silence';
        readonly media: MediaSeen | null;
      }
    /**
     * The egress' worker is proven dead, or its pipeline stands still: no media has come since `stalledSince`, ms, though its
     * worker answers. LiveKit lists the egress for ever; it counts as gone from now on.
     */
    | {
        readonly kind: 'recorder-lost';
        readonly egressId: string;
        readonly media: MediaSeen | null;
        readonly stalledSince?: number;
      }
    /** Its segments are to be joined: nobody was told to yet, or whoever was has not done it for long. */
    | { readonly kind: 'recovery-due' }
    /** They are one file in the bucket now. `missing`: what of them is not in it, for a person; null: nothing. */
    | {
        readonly kind: 'segments-joined';
        readonly filename: string;
        readonly sizeBytes: number;
        readonly durationMs: number;
        readonly missing: string | null;
      }
    /** Nothing can be made of them. `folder`: where they are; null: there are none. */
    | { readonly kind: 'segments-unusable'; readonly why: string; readonly folder: string | null }
    /** Another recording goes on from this one. */
    | { readonly kind: 'continued'; readonly by: RecordingId }
    /** The meeting is over or not to be recorded further. */
    | { readonly kind: 'continuation-given-up' }
    /** The bucket was asked after everything was over. */
    | { readonly kind: 'media-looked-for'; readonly media: MediaSeen | null }
    | { readonly kind: 'deletion-requested'; readonly by: string }
    /** Media and metadata are gone from the bucket. */
    | { readonly kind: 'deleted' }
  );

/** An order that is filed in the commit and carried out at least once; each is harmless twice. `at`: not before this instant. */
export type Effect =
  /** Everything known of it is judged again; whatever has its time, a deadline or a question, follows from that. */
  | { readonly do: 'reconcile'; readonly at: number }
  /** `why`: for the log. */
  | { readonly do: 'stop-egress'; readonly egressId: string; readonly why?: string }
  | {
      readonly do: 'remove-recorder';
      readonly egressId: string;
      readonly at: number;
      readonly why?: string;
    }
  | { readonly do: 'write-metadata' }
  /** `at`: of the change. */
  | { readonly do: 'signal-room'; readonly at?: number }
  | { readonly do: 'finish-deletion'; readonly at: number }
  | { readonly do: 'drop-room-metadata' }
  /** Its segments are joined. */
  | { readonly do: 'recover' }
  /** Its file is in the bucket: what was written beside it is not needed any more. */
  | { readonly do: 'drop-segments' };
