import type { Finding, SweepName, SweepPass, SweepRun } from './sweep.js';

/** More findings than these are counted, not kept. */
const KEPT_FINDINGS = 1_000;

export interface PassRequest {
  readonly id: string;
  readonly name: SweepName;
  readonly dryRun: boolean;
  readonly manual: boolean;
  readonly startedAt: number;
  readonly cause: string;
}

/** Keeps the tale of one pass, and acts on what it may act on. */
export class SweepReport implements SweepPass {
  readonly dryRun: boolean;
  readonly manual: boolean;
  readonly startedAt: number;
  readonly cause: string;
  /** What was suspected in this pass, for the next one. */
  readonly candidates = new Set<string>();
  private readonly findings: Finding[] = [];
  private readonly counts = { examined: 0, acted: 0, failed: 0 };

  constructor(
    private readonly request: PassRequest,
    /** What the last pass suspected. */
    private readonly seenBefore: ReadonlySet<string>,
    readonly signal: AbortSignal,
    private readonly onFailure: (finding: Finding, error: unknown) => void,
  ) {
    this.dryRun = request.dryRun;
    this.manual = request.manual;
    this.startedAt = request.startedAt;
    this.cause = request.cause;
  }

  examined(count = 1): void {
    this.counts.examined += count;
  }

  async suspect(finding: Finding, act: () => Promise<void>): Promise<void> {
    this.candidates.add(candidateOf(finding));
    if (this.isSeenAgain(finding)) return this.found(finding, act);
    this.tell({ ...finding, action: `${finding.action}, if it is seen again` });
  }

  isSeenAgain(finding: Finding): boolean {
    return this.seenBefore.has(candidateOf(finding));
  }

  async found(finding: Finding, act: () => Promise<void>): Promise<void> {
    if (this.dryRun) return this.tell({ ...finding, action: `would ${finding.action}` });
    this.signal.throwIfAborted();
    try {
      await act();
      this.counts.acted += 1;
      this.tell(finding);
    } catch (error) {
      this.failed(finding, error);
    }
  }

  note(finding: Finding): void {
    this.tell(finding);
  }

  failed(finding: Finding, error: unknown): void {
    this.counts.failed += 1;
    this.tell({ ...finding, action: `failed to ${finding.action}` });
    this.onFailure(finding, error);
  }

  toRun(finishedAt: number | null): SweepRun {
    const { id, name, dryRun, startedAt } = this.request;
    return { id, name, dryRun, startedAt, finishedAt, ...this.counts, findings: this.findings };
  }

  private tell(finding: Finding): void {
    if (this.findings.length < KEPT_FINDINGS) this.findings.push(finding);
  }
}

function candidateOf({ kind, subject }: Finding): string {
  return `${kind} ${subject}`;
}
