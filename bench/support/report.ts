import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { Figures } from './figures.js';

/** What the figures depend on besides the code. */
export function machine(): Record<string, string> {
  const redis = execFileSync(process.env.REDIS_SERVER ?? 'redis-server', ['--version'], { encoding: 'utf8' });
  return {
    processors: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 1_024 ** 3)} GiB`,
    node: `Node ${process.version}`,
    redis: `Redis ${/v=(\S+)/.exec(redis)?.[1] ?? 'unknown'}`,
  };
}

/** One row as people read it. */
export function shown(figures: Figures): string {
  const { what, conditions, latencyMs, perSecond, cpuMsEach, peakRssMiB, counts = {} } = figures;
  const parts: string[] = [];
  if (latencyMs) parts.push(`p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms`);
  if (perSecond !== undefined) parts.push(`${perSecond}/s`);
  if (cpuMsEach !== undefined) parts.push(`${cpuMsEach} ms of CPU each`);
  if (peakRssMiB !== undefined) parts.push(`peak RSS ${peakRssMiB} MiB`);
  const counted = Object.entries(counts).map(([name, value]) => `${name} ${value}`);
  const under = Object.entries(conditions).map(([name, value]) => `${name} ${value}`);
  return [
    `\n${what} (${under.join(', ')})`,
    ...(parts.length > 0 ? [`  ${parts.join('; ')}`] : []),
    ...(counted.length > 0 ? [`  ${counted.join(', ')}`] : []),
  ].join('\n');
}
