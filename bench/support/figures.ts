/** What one measurement came to. Times in ms, memory in MiB, unless a name says otherwise. */
export interface Figures {
  /** What was done, as a row of the table. */
  readonly what: string;
  /** What has to be known to measure the same again. */
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly latencyMs?: Percentiles;
  readonly perSecond?: number;
  /** Of the processor, by the product's process, for each thing that was done. */
  readonly cpuMsEach?: number;
  readonly peakRssMiB?: number;
  /** Whatever else was counted, each thing by its own name. */
  readonly counts?: Readonly<Record<string, number>>;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
  readonly samples: number;
}

export interface BenchOptions {
  /** A short cut that shows that it works; its figures mean nothing. */
  readonly quick: boolean;
  /** How many recordings there are, where a benchmark lets one say. */
  readonly size: number | null;
}

/** One row of the table, or several of one scene. */
export interface Bench {
  readonly name: string;
  readonly measures: string;
  run(options: BenchOptions): Promise<Figures[]>;
}

/** By the nearest rank. Throws for no samples at all. */
export function percentiles(samples: readonly number[]): Percentiles {
  if (samples.length === 0) throw new Error('nothing was measured');
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1), samples: sorted.length };
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
