export const SWEEP_NAMES = [
  'ORPHANED_LOCKS',
  'STALE_RECORDINGS',
  'LIVEKIT_RECONCILIATION',
  'STORAGE_RECONCILIATION',
  'RETENTION',
] as const;
export type SweepName = (typeof SWEEP_NAMES)[number];

export interface Finding {
  /** What sort of thing it is, in upper case. */
  readonly kind: string;
  /** The id of what it is about. */
  readonly subject: string;
  /** An order in the imperative: what is done about it. */
  readonly action: string;
  readonly detail: string;
}

/** One pass of a sweep; instants in ms. */
export interface SweepRun {
  readonly id: string;
  readonly name: SweepName;
  readonly dryRun: boolean;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly examined: number;
  readonly acted: number;
  readonly failed: number;
  readonly findings: readonly Finding[];
}

/** What a sweep tells of a pass while it makes it. */
export interface SweepPass {
  /** Shows what a real pass would tell and do, and changes nothing. */
  readonly dryRun: boolean;
  /** A person asked for it. */
  readonly manual: boolean;
  readonly startedAt: number;
  /** The cause of what it changes. */
  readonly cause: string;
  /** Aborts when another instance may be at it by now. */
  readonly signal: AbortSignal;
  examined(count?: number): void;
  /** Told at first sight, acted on at the second: what looks wrong for a moment is often right in the next. */
  suspect(finding: Finding, act: () => Promise<void>): Promise<void>;
  /** Whether the pass before suspected it too: `suspect` would act on it. */
  isSeenAgain(finding: Finding): boolean;
  /** Proven already: acted on at once. */
  found(finding: Finding, act: () => Promise<void>): Promise<void>;
  /** Told, and left as it is: nobody but a person can say what is right. */
  note(finding: Finding): void;
  /** Something that could not be looked at; told, not acted on. */
  failed(finding: Finding, error: unknown): void;
}

/** A round that looks for what nobody else would notice. Never two of one kind at a time. */
export abstract class Sweep {
  abstract readonly name: SweepName;
  abstract readonly everyMs: number;
  abstract pass(pass: SweepPass): Promise<void>;
}
