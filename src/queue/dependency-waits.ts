import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import type { ErrorCode } from '../kernel/errors.js';
import { emitTelemetry } from '../kernel/telemetry.js';

/** Those without which a job is put off, however often; each time for so long, in ms. */
const DEPENDENCIES = {
  REDIS_UNAVAILABLE: { name: 'Redis', waitMs: 2_000 },
  LIVEKIT_UNAVAILABLE: { name: 'LiveKit', waitMs: 2_000 },
  STORAGE_UNAVAILABLE: { name: 'the storage', waitMs: 5_000 },
} as const satisfies Partial<Record<ErrorCode, { name: string; waitMs: number }>>;

export type DependencyCode = keyof typeof DEPENDENCIES;

/** A dependency that comes and goes is told of no more often than this. */
const TOLD_EVERY_MS = 60_000;
/** More that wait are counted, not named. */
const MOST_NAMED = 10_000;

interface Wait {
  readonly since: number;
  readonly names: Set<string>;
  putOff: number;
}

export function isDependencyCode(code: ErrorCode): code is DependencyCode {
  return code in DEPENDENCIES;
}

/** Says once that jobs wait for what they need, and once that they go on. */
@Injectable()
export class DependencyWaits {
  private readonly log = new Logger('Jobs');
  private readonly waits = new Map<DependencyCode, Wait>();
  private readonly toldAt = new Map<DependencyCode, number>();

  constructor(private readonly clock: Clock) {}

  /** How long, in ms. `name`: of the job and its subject; `why`: what the one who was asked said. */
  putOff(code: DependencyCode, queue: string, name: string, why: string): number {
    const now = this.clock.now();
    const wait = this.waits.get(code) ?? { since: now, names: new Set<string>(), putOff: 0 };
    this.waits.set(code, wait);
    wait.putOff += 1;
    if (wait.names.size < MOST_NAMED) wait.names.add(name);
    emitTelemetry('job-put-off', { queue, dependency: code });
    const told = now - (this.toldAt.get(code) ?? -Infinity) < TOLD_EVERY_MS;
    if (!told) this.tell(code, wait, now, { example: name, cause: why });
    return DEPENDENCIES[code].waitMs;
  }

  /** A job was done, or failed for another reason. */
  ran(name: string): void {
    for (const [code, wait] of this.waits) {
      if (!wait.names.has(name)) continue;
      this.waits.delete(code);
      const forSeconds = Math.round((this.clock.now() - wait.since) / 1_000);
      this.log.log({
        event: 'jobs_go_on',
        message: `${DEPENDENCIES[code].name} answers again, and jobs that waited go on`,
        dependency: code,
        jobs: wait.names.size,
        times: wait.putOff,
        forSeconds,
      });
    }
  }

  private tell(
    code: DependencyCode,
    wait: Wait,
    now: number,
    last: { example: string; cause: string },
  ): void {
    this.toldAt.set(code, now);
    this.log.warn({
      event: 'jobs_wait',
      message: `jobs wait for ${DEPENDENCIES[code].name}, and are tried again for as long as it takes`,
      dependency: code,
      jobs: wait.names.size,
      times: wait.putOff,
      forSeconds: Math.round((now - wait.since) / 1_000),
      ...last,
    });
  }
}
