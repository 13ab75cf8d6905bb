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

/** All rows as the table of the docs, under the machine they were measured on. */
export function markdown(
  conditions: Readonly<Record<string, string>>,
  results: readonly Figures[],
  quick: boolean,
): string {
  const head = '| what | p50 / p95 / p99, ms | per second | CPU each, ms | peak RSS, MiB | counted |';
  const rows = results.map(
    ({ what, conditions: under, latencyMs, perSecond, cpuMsEach, peakRssMiB, counts }) => {
      const latency = latencyMs ? `${latencyMs.p50} / ${latencyMs.p95} / ${latencyMs.p99}` : '';
      const made = Object.entries(under).map(([name, value]) => `${name} ${value}`);
      const counted = Object.entries(counts ?? {})
        .filter(([name]) => !name.startsWith('redis.'))
        .map(([name, value]) => `${name} ${value}`);
      const cells = [
        `${what} (${made.join(', ')})`,
        latency,
        perSecond,
        cpuMsEach,
        peakRssMiB,
        counted.join(', '),
      ];
      return `| ${cells.map((cell) => cell ?? '').join(' | ')} |`;
    },
  );
  const about = `Measured with \`npm run bench\` on ${Object.values(conditions).join(', ')}${quick ? ', as a short cut: the figures mean nothing' : ''}.`;
  return [about, '', head, '| --- | --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}
