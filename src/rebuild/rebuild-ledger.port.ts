export const REBUILD_PHASES = ['clear', 'access', 'rooms', 'recordings', 'egresses'] as const;
export type RebuildPhase = (typeof REBUILD_PHASES)[number];

/** How far a rebuild is; instants in ms. Kept where whoever takes it over finds it. */
export interface RebuildProgress {
  readonly phase: RebuildPhase;
  /** The last object of the phase that is back with all before it, in the order of keys; empty: none. */
  readonly after: string;
  readonly rooms: number;
  readonly recordings: number;
  /** Objects that could not be understood. */
  readonly faults: number;
  /** Records in the bucket; null while they are being counted. */
  readonly total: number | null;
  /** What it waits for, for an operator; null: it goes on. */
  readonly problem: string | null;
}

export interface RebuildRun extends RebuildProgress {
  /** Proves that this instance still does it. */
  readonly token: string;
  /** The name of the event log that begins with its end. */
  readonly epoch: string;
  readonly startedAt: number;
}

export type RebuildState =
  | { readonly whole: true }
  /** `run` null: nobody has begun. */
  | { readonly whole: false; readonly run: (RebuildProgress & { readonly startedAt: number }) | null };

/**
 * The mark that Redis is whole, and how far its rebuild is. Every method throws REDIS_UNAVAILABLE; those that take a run throw
 * RebuildSuperseded once another does it, or it is over.
 */
export abstract class RebuildLedger {
  abstract state(): Promise<RebuildState>;
  /** Begins, or goes on where another was; who did it until now can't any more. Null: Redis is whole. */
  abstract begin(): Promise<RebuildRun | null>;
  /** Removes what is there of rows and of what is made of them, so that the bucket alone decides; nobody is held up by it. */
  abstract clear(run: RebuildRun): Promise<void>;
  abstract note(run: RebuildRun, progress: Partial<RebuildProgress>): Promise<void>;
  /** Sets the mark. */
  abstract finish(run: RebuildRun): Promise<void>;
  /** Removes the mark: everything is rebuilt. */
  abstract discard(): Promise<void>;
}
