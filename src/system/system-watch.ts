import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { Incidents } from '../incidents/incidents.port.js';
import { LeaseKeeper } from '../locks/lease-keeper.js';
import { type Check, SystemChecks } from './system-checks.js';
import { Unexplained } from './unexplained.js';

const LOOK_EVERY_MS = 5_000;
const LEASE_MS = 20_000;
/** What nobody asks for is counted all the same, for the metrics: of the looks of the one process, every so many. */
const COUNTED_EVERY = 6;
/** What fails once may be a moment's; an incident is opened by the second look that agrees. */
const LOOKS_THAT_AGREE = 2;

export type SystemState = Check['state'];
export interface CheckSeen extends Check {
  readonly since: number;
}

/** Looks at everything every few seconds, and remembers since when each is as it is. */
@Injectable()
export class SystemWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('System');
  private readonly over = new AbortController();
  private readonly seen = new Map<string, { state: SystemState; since: number; looks: number }>();
  private latest: readonly CheckSeen[] = [];
  private latestAt = -Infinity;
  private watching: Promise<void> = Promise.resolve();

  constructor(
    private readonly checks: SystemChecks,
    private readonly unexplained: Unexplained,
    private readonly incidents: Incidents,
    private readonly leases: LeaseKeeper,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.watching = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.watching;
  }

  /** No older than two looks. */
  async now(): Promise<readonly CheckSeen[]> {
    if (this.clock.now() - this.latestAt > 2 * LOOK_EVERY_MS) await this.look();
    return this.latest;
  }

  async look(): Promise<void> {
    const checks = await this.checks.look();
    const at = this.clock.now();
    this.latest = checks.map((check) => ({ ...check, since: this.sinceOf(check, at) }));
    this.latestAt = at;
  }

  private async watch(): Promise<void> {
    while (await this.pause()) {
      try {
        await this.look();
        await this.leases.withLease(this.duty, LEASE_MS, (lost) => this.tellWhileFirst(lost));
      } catch (error) {
        this.log.debug({
          event: 'system_not_looked_at',
          message: 'looked at again soon',
          cause: String(error),
        });
      }
    }
  }

  /**
   * One process notices for all for as long as it lives, so that those that see it differently don't open and close in turns.
   * That nobody runs jobs is noticed by those that don't, too.
   */
  private get duty(): string {
    return this.config.role === 'api' ? 'system-watch-api' : 'system-watch';
  }

  private async tellWhileFirst(lost: AbortSignal): Promise<void> {
    // What another process has opened is not known here: all are told at first, and again now and then.
    const closed = new Set<string>();
    for (let looks = 0; ; looks += 1) {
      if (looks % COUNTED_EVERY === 0) closed.clear();
      await this.tellIncidents(closed);
      if (looks % COUNTED_EVERY === 0 && this.config.role !== 'api') await this.unexplained.count();
      if (!(await this.pause())) return;
      await this.look();
      if (lost.aborted) return;
    }
  }

  /** `closed`: the names of those that are known to be. */
  private async tellIncidents(closed: Set<string>): Promise<void> {
    for (const { name, state, detail, incident } of this.latest) {
      if (incident === null || (this.config.role === 'api' && incident !== 'no_workers')) continue;
      if (state === 'OK') {
        if (!closed.has(name)) await this.incidents.close(incident, name);
        closed.add(name);
      } else if ((this.seen.get(name)?.looks ?? 0) >= LOOKS_THAT_AGREE) {
        closed.delete(name);
        await this.incidents.open(incident, name, detail);
      }
    }
  }

  private sinceOf({ name, state }: Check, at: number): number {
    const before = this.seen.get(name);
    const same = before?.state === state;
    const next = same
      ? { ...before, looks: Math.min(before.looks + 1, LOOKS_THAT_AGREE) }
      : { state, since: at, looks: 1 };
    this.seen.set(name, next);
    return next.since;
  }

  private async pause(): Promise<boolean> {
    return this.clock.sleep(LOOK_EVERY_MS, this.over.signal).then(
      () => true,
      () => false,
    );
  }
}
