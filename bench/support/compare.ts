import { readFileSync } from 'node:fs';
import type { Figures } from './figures.js';

/** One row of a results file, as `--json` writes it. */
export type Result = Figures & { readonly bench: string };

interface ResultsFile {
  readonly format: 1;
  readonly quick: boolean;
  readonly machine: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

/** Times of two runs on one machine differ by so much without any reason; counts by far less. */
const TIMES_DIFFER = 0.15;
const COUNTS_DIFFER = 0.03;

/** Throws where it is no results file, or one of a short cut. */
export function readResults(path: string): ResultsFile {
  const file = JSON.parse(readFileSync(path, 'utf8')) as ResultsFile;
  if (file.format !== 1) throw new Error(`${path} is no results file of this version: make one with --json`);
  if (file.quick) throw new Error(`${path} is of a short cut: its figures mean nothing`);
  return file;
}

/** What has changed since the former run, a line each: by more than two runs differ without a reason. */
export function compared(
  former: ResultsFile,
  machine: Readonly<Record<string, string>>,
  results: readonly Result[],
): string[] {
  const lines: string[] = [];
  if (JSON.stringify(former.machine) !== JSON.stringify(machine))
    lines.push(
      'the former run was made on another machine or with other versions: its times say nothing here',
    );
  for (const result of results) {
    const before = former.results.find(({ bench, what }) => bench === result.bench && what === result.what);
    if (before === undefined) {
      lines.push(`${result.what}: not measured in the former run`);
      continue;
    }
    const was = numbersOf(before);
    for (const [name, { value, tolerance }] of numbersOf(result)) {
      const old = was.get(name)?.value;
      if (old === undefined || old === value) continue;
      const change = (value - old) / Math.max(Math.abs(old), 1e-9);
      if (Math.abs(change) <= tolerance) continue;
      const percent = `${change > 0 ? '+' : ''}${Math.round(change * 100)} %`;
      lines.push(`${result.what}: ${name} ${old} -> ${value} (${old === 0 ? 'new' : percent})`);
    }
  }
  return lines;
}

function numbersOf({ latencyMs, perSecond, cpuMsEach, peakRssMiB, counts = {} }: Figures) {
  const numbers = new Map<string, { readonly value: number; readonly tolerance: number }>();
  const add = (name: string, value: number | undefined, tolerance: number): void => {
    if (value !== undefined) numbers.set(name, { value, tolerance });
  };
  add('p50', latencyMs?.p50, TIMES_DIFFER);
  add('p99', latencyMs?.p99, TIMES_DIFFER);
  add('per second', perSecond, TIMES_DIFFER);
  add('ms of CPU each', cpuMsEach, TIMES_DIFFER);
  add('peak RSS', peakRssMiB, TIMES_DIFFER);
  // Single commands move between each other without meaning anything; their sum is among the counts.
  for (const [name, value] of Object.entries(counts))
    if (!name.startsWith('redis.')) add(name, value, COUNTS_DIFFER);
  return numbers;
}
