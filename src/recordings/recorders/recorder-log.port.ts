import type { MediaProgress } from '../domain/evidence.js';

/** What is known of one egress' worker; instants in ms, of our own clock when the question was asked. */
export interface RecorderState {
  /** Null: it has not answered yet. */
  readonly heardAt: number | null;
  /** The questions since then that nobody answered, oldest first. */
  readonly silentAt: readonly number[];
  /** `left`: it was in its room and is gone from there, by the latest that was noted of it. */
  readonly presence: 'unknown' | 'seen' | 'left';
  /** Something happened in its room then: it is worth to ask it at once. Null: nothing did. */
  readonly nudgedAt: number | null;
}

/** Events have the time of a second: who is seen and left within one has left. */
export function presenceOf(seenAt: number | null, leftAt: number | null): RecorderState['presence'] {
  if (seenAt === null && leftAt === null) return 'unknown';
  return leftAt !== null && leftAt >= (seenAt ?? 0) ? 'left' : 'seen';
}

/**
 * What the workers of our egresses answered. Everything only moves forward: a slow writer that comes late can neither
 * take back an answer nor make a silence longer than it was. Every method throws REDIS_UNAVAILABLE.
 */
export abstract class RecorderLog {
  abstract heard(egressId: string, askedAt: number): Promise<void>;
  abstract silent(egressId: string, askedAt: number): Promise<void>;
  abstract state(egressId: string): Promise<RecorderState>;
  /** Whether the worker of any other egress answered a question that was asked after that. */
  abstract anotherHeardSince(egressId: string, at: number): Promise<boolean>;
  /** `at`: by LiveKit's clock, as its event says, or before any event of it. */
  abstract setPresence(egressId: string, presence: 'seen' | 'left', at: number): Promise<void>;
  abstract nudge(egressId: string, at: number): Promise<void>;
  /** Null: nobody has looked at its segments, or not for an hour. */
  abstract progress(egressId: string): Promise<MediaProgress | null>;
  /** The one thing that a slow writer can take back: the next look puts it right. */
  abstract setProgress(egressId: string, progress: MediaProgress): Promise<void>;
  /** Its worker is proven dead. LiveKit lists it for ever, so it is remembered for long. */
  abstract markDead(egressId: string, at: number): Promise<void>;
  abstract isDead(egressId: string): Promise<boolean>;
  /** It is over. */
  abstract forget(egressId: string): Promise<void>;
}
