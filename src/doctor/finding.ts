/**
 * What came of one look. `fault`: somebody has to do something. `note`: worth knowing, nothing is wrong. `unknown`: it could not
 * be looked at, for a reason that is no fault by itself or is told as one elsewhere.
 */
export type Verdict = 'ok' | 'fault' | 'note' | 'unknown';

export interface Finding {
  /** What was looked at: `redis.eviction`; a word for ever. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What is wrong, with which; what is right where nothing is. */
  readonly detail: string;
  /** What to do; only of a fault. */
  readonly fix?: string;
}

export function ok(name: string, detail: string): Finding {
  return { name, verdict: 'ok', detail };
}

export function fault(name: string, detail: string, fix: string): Finding {
  return { name, verdict: 'fault', detail, fix };
}

export function note(name: string, detail: string): Finding {
  return { name, verdict: 'note', detail };
}

export function unknown(name: string, detail: string): Finding {
  return { name, verdict: 'unknown', detail };
}

/** A part of the deployment that is looked at. Never throws: what keeps it from looking is a finding. */
export abstract class Examination {
  abstract readonly area: string;
  abstract examine(): Promise<Finding[]>;
}
