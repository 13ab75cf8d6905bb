import type { TallyError } from '../../kernel/errors.js';
import type { EgressSeen, EgressStatus, WorkerAnswer } from '../../livekit/livekit.types.js';
import type { MediaSeen } from './facts.js';

/** One thing that can be known. "Not asked" and "could not ask" are values of their own: nothing here can mean "no" by being absent. */
export type Observed<T> =
  | { readonly state: 'not-asked' }
  | { readonly state: 'unavailable'; readonly error: TallyError }
  | { readonly state: 'known'; readonly value: T };

export const NOT_ASKED = { state: 'not-asked' } as const;

export function known<T>(value: T): Observed<T> {
  return { state: 'known', value };
}

/** Egresses of one recording as LiveKit showed them at `at`, ms, or later. `complete`: none that it lists is missing. */
export interface Sighting {
  readonly complete: boolean;
  readonly egresses: readonly EgressSeen[];
  readonly at: number;
}

/** A room as LiveKit shows it; counts are up to five seconds old. */
export type RoomEvidence =
  | { readonly open: false }
  | {
      readonly open: true;
      readonly sid: string;
      readonly createdAtMs: number;
      readonly numPublishers: number;
      readonly activeRecording: boolean;
    };

/** What is known of the worker of one egress; instants in ms, by our own clock when the question was asked. */
export interface WorkerEvidence {
  /** Null: it has not answered yet. */
  readonly heardAt: number | null;
  /** The questions since then that LiveKit said nobody answers, oldest first. */
  readonly silentAt: readonly number[];
  /** `left`: its recorder had been seen in the room and is gone from there. */
  readonly presence: 'unknown' | 'seen' | 'left';
  /** Something happened in its room that makes it worth to ask at once; null: nothing did. */
  readonly nudgedAt: number | null;
  /** Of this run; with the status that the question was made for. */
  readonly answer: Observed<{ readonly said: WorkerAnswer; readonly askedAs: EgressStatus }>;
  /** Of this run, by its id; null: LiveKit says that there is no such egress. */
  readonly listed: Observed<EgressSeen | null>;
  /** Whether another egress' worker has answered since the last silence of this one. */
  readonly another: Observed<boolean>;
  /** The same question as `answer`, after it was proven that workers can answer. */
  readonly confirmed: Observed<WorkerAnswer>;
}

/** What is remembered of the segments of one egress; instants in ms, by our own clock when the bucket was asked. */
export interface MediaProgress {
  /** The highest number that was listed; null: none was yet. */
  readonly newest: number | null;
  /** When there was a new one, or the first look. */
  readonly grewAt: number;
  readonly lookedAt: number;
  /** The latest looks, all since then and in a row, at which nothing was new though it should have been; oldest first. */
  readonly stillAt: readonly number[];
  /** Its recorder was out of the room at the last of them: it ends by itself, or its connection is lost. */
  readonly recorderOut?: boolean;
}

/** One look at the segments in the bucket. */
export interface SegmentsLook {
  readonly at: number;
  /** The highest number above what was known; null: there is no new one. */
  readonly newest: number | null;
  /** How long the bucket took for its answer. */
  readonly tookMs: number;
  /** Asked where nothing was new. */
  readonly around: Observed<AroundSegments>;
}

/** What says whether segments that did not come say anything. */
export interface AroundSegments {
  /** Something should have come, or its egress be over by now. */
  readonly isDue: boolean;
  /** Its recorder is not in the room. */
  readonly recorderOut: boolean;
}

/** What is known of the segments of a recording in progress, which are the sign of life of its pipeline. */
export interface SegmentsEvidence {
  /** Remembered, with this run's look in it; null: nobody has looked yet. */
  readonly progress: Observed<MediaProgress | null>;
  readonly look: Observed<SegmentsLook>;
  /** How long the bucket took to store one as large beside them. */
  readonly storing: Observed<number>;
  /** Whether there was a new segment after that. */
  readonly grewSince: Observed<boolean>;
}

/** Whether its room wants a recording that ended by itself to go on, and how many of its chain have ended so. */
export interface ContinuationEvidence {
  readonly wanted: boolean;
  readonly endedInARow: number;
}

/** Everything that is known of a recording beside its row, in one run of the reconciler. */
export interface Evidence {
  /** Seen and not applied yet. */
  readonly sighting: Sighting | null;
  /** Whether all that LiveKit lists of it was asked for in this run. */
  readonly looked: Observed<true>;
  readonly workers: ReadonlyMap<string, WorkerEvidence>;
  readonly room: Observed<RoomEvidence>;
  /** Whether somebody who is no recorder and no agent publishes in the room. */
  readonly publishes: Observed<boolean>;
  /** Whether any worker answers; `unavailable` also where none did within the time for it. */
  readonly fleet: Observed<boolean>;
  /** The same, waited for as long as LiveKit takes to say that nobody is there. */
  readonly fleetInTheEnd: Observed<boolean>;
  readonly segments: SegmentsEvidence;
  readonly media: Observed<MediaSeen | null>;
  readonly continuation: Observed<ContinuationEvidence>;
  /** LiveKit answered a stop of it with "no such egress". */
  readonly stopNotFound: boolean;
  /** The acts of this run: each is done once. */
  readonly acted: readonly Act[];
}

/** What a verdict can want to be done beside changing the row. */
export type Act = 'send-start' | 'continue' | 'finish-deletion';

export const NO_EVIDENCE: Evidence = {
  sighting: null,
  looked: NOT_ASKED,
  workers: new Map(),
  room: NOT_ASKED,
  publishes: NOT_ASKED,
  fleet: NOT_ASKED,
  fleetInTheEnd: NOT_ASKED,
  segments: { progress: NOT_ASKED, look: NOT_ASKED, storing: NOT_ASKED, grewSince: NOT_ASKED },
  media: NOT_ASKED,
  continuation: NOT_ASKED,
  stopNotFound: false,
  acted: [],
};

export const UNKNOWN_WORKER: WorkerEvidence = {
  heardAt: null,
  silentAt: [],
  presence: 'unknown',
  nudgedAt: null,
  answer: NOT_ASKED,
  listed: NOT_ASKED,
  another: NOT_ASKED,
  confirmed: NOT_ASKED,
};

/** When its worker was asked for the last time and the question was one; null: never. */
export function lastAskedAt({ heardAt, silentAt }: WorkerEvidence): number | null {
  return silentAt.at(-1) ?? heardAt;
}

/** Nothing was new at the last look, and something should have been. */
export function isStill(progress: MediaProgress | null): progress is MediaProgress {
  return progress !== null && progress.newest !== null && progress.stillAt.length > 0;
}

/** The first thing that could not be asked in this run, if any. A fleet that has not answered in time was asked. */
export function firstUnavailable(evidence: Evidence): TallyError | null {
  const { looked, room, publishes, media, continuation, fleetInTheEnd } = evidence;
  const ofWorkers = [...evidence.workers.values()].flatMap((one) => [one.listed, one.answer, one.confirmed]);
  for (const one of [looked, room, publishes, media, continuation, fleetInTheEnd, ...ofWorkers])
    if (one.state === 'unavailable') return one.error;
  return null;
}
