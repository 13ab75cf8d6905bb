import type { WorkerKind } from '../../livekit/livekit.types.js';

export const WORKER_KINDS: readonly WorkerKind[] = ['room_composite', 'room_composite_audio'];

export interface KindAvailability {
  readonly kind: WorkerKind;
  readonly availability: 'AVAILABLE' | 'NONE' | 'UNKNOWN';
  readonly since: number;
}

/** Whether an egress worker would take a recording now, as the last control questions were answered. */
export abstract class WorkerAvailability {
  /** Of every kind. Throws REDIS_UNAVAILABLE. */
  abstract read(): Promise<KindAvailability[]>;
  /** An answer to a control question that was asked at `askedAt`. Throws REDIS_UNAVAILABLE. */
  abstract note(kind: WorkerKind, isThere: boolean, askedAt: number): Promise<void>;
  /** Whether LiveKit said just now that no worker takes one of this kind. Throws REDIS_UNAVAILABLE. */
  abstract isAbsent(kind: WorkerKind): Promise<boolean>;
}

/** For a recording: audio alone costs a worker far less than a browser. */
export function workerKindOf(audioOnly: boolean): WorkerKind {
  return audioOnly ? 'room_composite_audio' : 'room_composite';
}
