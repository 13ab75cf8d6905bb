import { readFileSync } from 'node:fs';

/** Clock ticks of Linux' accounting, whatever its kernel was built with. */
const TICKS_PER_SECOND = 100;

/** Of a process, as Linux tells it. */
export interface ProcessUsage {
  /** Processor time since its start, in user and kernel mode. */
  readonly cpuMs: number;
  readonly rssMiB: number;
  /** The most there was since its start, or since `forgetPeak`. */
  readonly peakRssMiB: number;
}

export function usageOf(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Its name may have blanks, and stands in brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1_024;
  return { cpuMs: (ticks * 1_000) / TICKS_PER_SECOND, rssMiB: mib('VmRSS'), peakRssMiB: mib('VmHWM') };
}
