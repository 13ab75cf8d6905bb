import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Clock } from '../kernel/clock.js';
import { isTallyError, TallyError } from '../kernel/errors.js';
import { ReadinessGate } from '../kernel/readiness-gate.js';
import { LiveKit } from '../livekit/livekit.port.js';
import { redisFailure, RedisConnections } from '../redis/redis.connections.js';
import { ObjectStorage } from '../storage/object-storage.port.js';

/** How long one dependency may take to answer before it counts as away. */
const CHECK_LIMIT_MS = 3_000;
/** Probes of several balancers share one look. */
const FRESH_MS = 1_000;
const LEAST_REDIS = 7;

export interface CheckResult {
  readonly ok: boolean;
  /** Why not, for an operator. */
  readonly problem?: string;
}

export interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, CheckResult>>;
}

/** Looks at everything this process depends on, side by side, each with a limit of its own. */
@Injectable()
export class ReadinessProbe {
  private latest: { readonly atMs: number; readonly answer: Promise<Readiness> } | null = null;
  private closing = false;

  constructor(
    private readonly clock: Clock,
    private readonly redis: RedisConnections,
    private readonly storage: ObjectStorage,
    private readonly livekit: LiveKit,
    private readonly discovery: DiscoveryService,
  ) {}

  look(): Promise<Readiness> {
    const now = this.clock.now();
    if (this.latest === null || now - this.latest.atMs >= FRESH_MS) {
      this.latest = { atMs: now, answer: this.lookNow() };
    }
    return this.latest.answer;
  }

  /** From now on a balancer is told to send nothing more. */
  close(): void {
    this.closing = true;
    this.latest = null;
  }

  private async lookNow(): Promise<Readiness> {
    const looks: Record<string, Promise<CheckResult>> = {
      redis: this.ask('Redis', () => this.checkRedis()),
      storage: this.ask('the storage', () => this.storage.check()),
      livekit: this.ask('LiveKit', () => this.livekit.checkAccess()),
    };
    for (const gate of this.gates()) looks[gate.name] = this.askGate(gate);
    if (this.closing)
      looks.process = Promise.resolve({ ok: false, problem: 'this instance is shutting down' });
    const names = Object.keys(looks);
    const results = await Promise.all(Object.values(looks));
    const checks = Object.fromEntries(names.map((name, i) => [name, results[i] ?? { ok: false }]));
    return { status: results.every((result) => result.ok) ? 'ready' : 'not ready', checks };
  }

  private gates(): ReadinessGate[] {
    return this.discovery
      .getProviders()
      .map(({ instance }: { instance: unknown }) => instance)
      .filter((instance): instance is ReadinessGate => instance instanceof ReadinessGate);
  }

  private async askGate(gate: ReadinessGate): Promise<CheckResult> {
    let waitingFor: string | null = null;
    const asked = await this.ask(gate.name, async () => {
      waitingFor = await gate.waitingFor();
    });
    return asked.ok && waitingFor !== null ? { ok: false, problem: waitingFor } : asked;
  }

  private async ask(who: string, question: () => Promise<void>): Promise<CheckResult> {
    const limit = new AbortController();
    const late = this.clock.sleep(CHECK_LIMIT_MS, limit.signal).then(
      (): CheckResult => ({ ok: false, problem: `${who} did not answer within ${CHECK_LIMIT_MS / 1_000} s` }),
      (): CheckResult => ({ ok: true }),
    );
    const answer = question().then(
      (): CheckResult => ({ ok: true }),
      (error: unknown): CheckResult => ({ ok: false, problem: problemOf(who, error) }),
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      limit.abort();
    }
  }

  private async checkRedis(): Promise<void> {
    let info: string;
    try {
      info = await this.redis.command.info('server');
    } catch (error) {
      throw redisFailure(error);
    }
    const version = /^(?:valkey_version|redis_version):(\S+)/m.exec(info)?.[1] ?? '';
    if (Number.parseInt(version, 10) < LEAST_REDIS) {
      throw new TallyError(
        'REDIS_UNAVAILABLE',
        `Redis is version ${version}; ${LEAST_REDIS} or later is needed`,
      );
    }
  }
}

/** Anyone may read it, so only our own words are shown. */
function problemOf(who: string, error: unknown): string {
  return isTallyError(error) ? error.message : `${who} can not be asked`;
}
