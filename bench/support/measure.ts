import { performance } from 'node:perf_hooks';
import { type Figures, percentiles, rounded } from './figures.js';
import { pause, times } from './load.js';
import type { Counted, Target } from './target.js';

export interface Measured {
  readonly what: string;
  readonly count: number;
  readonly atOnce: number;
  readonly task: (i: number) => Promise<unknown>;
  readonly conditions?: Readonly<Record<string, string | number>>;
  /** Waits for what it leaves to be done, which counts as well. */
  readonly settled?: () => Promise<unknown>;
}

/** How long the product is left alone to see what it does without being asked. */
let idleMs = 3_000;
/** Commands that are named one by one; the rest is in the sum. */
const NAMED = 12;

/**
 * Does it and says what it took: of whoever asked, of the product's process, of Redis, of LiveKit and of the bucket.
 * What the product does without being asked is taken off.
 */
export async function measure(target: Target, measured: Measured): Promise<Figures> {
  const { what, count, atOnce, task, conditions = {}, settled = async () => undefined } = measured;
  const idle = await idleRates(target);
  const before = await target.counts();
  const usageBefore = target.usage();
  const begun = performance.now();
  const { samples, seconds } = await times(count, atOnce, task);
  await settled();
  const usage = target.usage();
  const after = await target.counts();
  const elapsed = (performance.now() - begun) / 1_000;
  const each = (name: 'redisCommands' | 'livekitCalls' | 's3Requests'): number =>
    rounded(Math.max(0, after[name] - before[name] - idle[name] * elapsed) / count, 2);
  const cpuMs = usage.cpuMs - usageBefore.cpuMs - idle.cpuMs * elapsed;
  return {
    what,
    conditions: { count, atOnce, ...conditions },
    latencyMs: percentiles(samples),
    perSecond: rounded(count / seconds, 1),
    cpuMsEach: rounded(Math.max(0, cpuMs) / count),
    peakRssMiB: rounded(usage.peakRssMiB, 0),
    counts: {
      redisCommandsEach: each('redisCommands'),
      livekitCallsEach: each('livekitCalls'),
      s3RequestsEach: each('s3Requests'),
      ...byName(before, after, count),
    },
  };
}

/** Of a short cut, whose figures mean nothing. */
export function lookBriefly(): void {
  idleMs = 100;
}

/** Per second, with nobody asking anything. */
export async function idleRates(target: Target, ms = idleMs): Promise<Record<IdleRate, number>> {
  const before = await target.counts();
  const cpuBefore = target.usage().cpuMs;
  const begun = performance.now();
  await pause(ms);
  const { cpuMs } = target.usage();
  const after = await target.counts();
  const seconds = (performance.now() - begun) / 1_000;
  return {
    redisCommands: (after.redisCommands - before.redisCommands) / seconds,
    livekitCalls: (after.livekitCalls - before.livekitCalls) / seconds,
    s3Requests: (after.s3Requests - before.s3Requests) / seconds,
    cpuMs: (cpuMs - cpuBefore) / seconds,
  };
}

type IdleRate = 'redisCommands' | 'livekitCalls' | 's3Requests' | 'cpuMs';

/** The commands that Redis was given most, each as `redis.<name>`, with what the product does unasked. */
function byName(before: Counted, after: Counted, count: number): Record<string, number> {
  const made = [...after.redisByName].map(
    ([name, calls]) =>
      [`redis.${name}`, rounded((calls - (before.redisByName.get(name) ?? 0)) / count, 1)] as const,
  );
  return Object.fromEntries(
    made
      .filter(([, calls]) => calls > 0)
      .sort(([, a], [, b]) => b - a)
      .slice(0, NAMED),
  );
}
