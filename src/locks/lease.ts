/** Exclusion with an end: held by `owner`, proven by `token`. Nothing in the domain is right only because of a lease. */
export interface Lease {
  readonly name: string;
  readonly owner: string;
  readonly token: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}
