import type { ForcedEnd } from '../../../src/livekit/simulator/engine.js';
import type { FaultName } from '../../../src/livekit/simulator/faults.js';

/** One thing that a person, a machine or bad luck does; `at` in ms from the beginning. A plan is data, so that parts of it can be left out. */
export type Action = { readonly at: number } & (
  | { readonly do: 'join' | 'leave' | 'mute' | 'unmute'; readonly room: string; readonly who: string }
  | { readonly do: 'close-room'; readonly room: string }
  /** Closed, and opened again by everybody as another session. */
  | { readonly do: 'reopen-room'; readonly room: string; readonly inMs: number }
  | {
      readonly do: 'start';
      readonly room: string;
      readonly key: string | null;
      readonly wait: boolean;
      readonly audioOnly: boolean;
      /** So many callers at once. */
      readonly times: number;
      readonly maxDurationMs: number | null;
      /** Absent: the user who asks for everything else. */
      readonly by?: 'other';
    }
  | { readonly do: 'stop' | 'delete'; readonly room: string; readonly times: number }
  /** By their ids, or all that the room has. */
  | {
      readonly do: 'delete-many';
      readonly room: string;
      readonly scope: 'ids' | 'room';
      readonly dryRun: boolean;
    }
  | { readonly do: 'delete-room'; readonly room: string; readonly policy: 'FAIL' | 'KEEP' | 'DELETE' }
  | { readonly do: 'make-room'; readonly room: string }
  | {
      readonly do: 'fault';
      readonly name: FaultName;
      readonly room: string;
      readonly times: number | null;
      readonly delayMs: number | null;
      readonly forMs: number;
    }
  | { readonly do: 'kill-worker'; readonly withChild: boolean; readonly anotherInMs: number }
  | { readonly do: 'stop-worker' | 'silence-bus'; readonly forMs: number }
  | { readonly do: 'restart-livekit' }
  /** LiveKit's records of egresses are lost; workers and rooms go on. */
  | { readonly do: 'lose-egresses' }
  /** Its lists come in pages of that size. */
  | { readonly do: 'page-lists'; readonly size: number; readonly forMs: number }
  /** The room's recorder ends although nobody asked for it. `left`: it is put out of the room, which goes on. */
  | { readonly do: 'end-recorder'; readonly room: string; readonly how: ForcedEnd | 'left' }
  /** Another deployment on the same LiveKit records the room; `sameKey`: to the very key of ours, in its own bucket. */
  | {
      readonly do: 'stranger';
      readonly room: string;
      readonly sameKey: boolean;
      readonly marked: boolean;
      readonly forMs: number;
    }
  | {
      readonly do: 'storage';
      readonly what: 'away' | 'delete-fails' | 'answers-lost' | 'slow' | 'sluggish' | 'hidden' | 'old-lists';
      readonly forMs: number;
    }
  /** LiveKit's whole list of egresses is empty although there are some. */
  | { readonly do: 'empty-lists'; readonly forMs: number }
  | { readonly do: 'restart-redis'; readonly forMs: number; readonly losing: boolean }
  /** Some commands take effect and are not answered, some later than their answer was waited for. */
  | { readonly do: 'lose-answers'; readonly forMs: number }
  /** What is to be done at a time is forgotten, done twice, or too early. */
  | { readonly do: 'timers'; readonly what: 'lost' | 'doubled' | 'early'; readonly forMs: number }
  /** It comes back as it was so long ago, and somebody then has it rebuilt. */
  | {
      readonly do: 'set-back-redis';
      readonly forMs: number;
      readonly agoMs: number;
      readonly rebuiltInMs: number;
    }
  /** Single keys of the room's newest recording are gone. */
  | { readonly do: 'lose-key'; readonly room: string; readonly what: LostKey }
  /** It comes back with nothing. */
  | { readonly do: 'lose-redis'; readonly forMs: number }
  | {
      readonly do: 'crash';
      readonly place: number;
      /** Which of its calls are counted, by the beginning of their names; empty: all. */
      readonly what: string;
      readonly calls: number;
      readonly withEffect: boolean;
      readonly backInMs: number;
      /** It dies where a start has to succeed all the same. */
      readonly mild?: true;
    }
  | { readonly do: 'stop-instance'; readonly place: number; readonly forMs: number }
);

export const LOST_KEYS = ['slot', 'row', 'unsettled', 'outbox', 'recorders', 'candidates'] as const;
export type LostKey = (typeof LOST_KEYS)[number];

export interface RoomPlan {
  readonly id: string;
  readonly people: readonly string[];
  readonly restartWhenLost: boolean;
  /** Absent: it is not. */
  readonly crashProof?: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly instances: number;
  /** How far the clock of each is off, ms. */
  readonly skewsMs: readonly number[];
  /** The places of each egress worker; empty: one that takes all. */
  readonly workers: readonly number[];
  readonly rooms: readonly RoomPlan[];
  readonly actions: readonly Action[];
  /** Beside the rooms that are recorded another one stays open, in which LiveKit can be asked for a worker. */
  readonly lobby: boolean;
  /** When everything is healed, ms from the beginning. */
  readonly healAt: number;
  /** How long the meetings go on then, ms. */
  readonly goOnMs: number;
  /** How the meetings end then. */
  readonly ending: 'rooms-close' | 'people-leave' | 'stop-all';
}
