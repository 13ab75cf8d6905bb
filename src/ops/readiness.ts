import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Config } from '../config/config.js';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import { ReadinessGate } from '../kernel/readiness-gate.js';
import { parseUrl } from '../kernel/url.js';
import { LiveKit } from '../livekit/livekit.port.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { RedisCondition } from '../redis/redis-condition.js';
import { StorageFault } from '../storage/storage-errors.js';
import { ProcessBeat } from './process-beat.js';
import { StorageHealth } from './storage-health.js';

/** How long one dependency may take to answer before it counts as away. */
const CHECK_LIMIT_MS = 3_000;
const LOOK_EVERY_MS = 2_000;
/** What a process waits for when it starts is there within moments: for so long it is looked at again so soon, until it is. */
const STARTING_MS = 10_000;
const LOOK_SOON_MS = 200;
/** What is asked of others is asked less often than what decides. */
const OTHERS_EVERY = 3;

export interface CheckResult {
  readonly ok: boolean;
  /** Why not, and what to do, for an operator. */
  readonly problem?: string;
}

export interface Readiness {
  /** `degraded`: this process answers, and something else needs somebody. */
  readonly status: 'ready' | 'degraded' | 'not ready';
  /** The names of the checks that failed without making this process not ready. */
  readonly degraded: readonly string[];
  readonly checks: Readonly<Record<string, CheckResult>>;
}

interface Look extends CheckResult {
  /** Without it this process can't answer. */
  readonly decides: boolean;
  /** What anybody is told in place of a problem that names buckets and hosts. */
  readonly publicly?: string;
}

/**
 * Whether this process can answer, and how what it depends on is: looked at every some seconds, each with a limit of its own,
 * and told from memory, so that no probe waits for anything.
 */
@Injectable()
export class ReadinessProbe implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly over = new AbortController();
  private looks: ReadonlyMap<string, Look> = new Map();
  private round = 0;
  private closing = false;
  private watching: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly beat: ProcessBeat,
    private readonly redis: RedisCondition,
    private readonly storage: ObjectStorage,
    private readonly storageHealth: StorageHealth,
    private readonly livekit: LiveKit,
    private readonly discovery: DiscoveryService,
  ) {}

  onApplicationBootstrap(): void {
    this.watching = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.watching;
  }

  /** `inFull`: with the names of buckets and hosts, for an ADMIN. */
  look(inFull: boolean): Readiness {
    const looks = new Map(this.looks);
    if (looks.size === 0) looks.set('process', failed('it has not yet looked at what it depends on'));
    if (this.closing) looks.set('process', failed('this instance is shutting down'));
    // The connection knows before the next look does.
    if (!this.beat.isConnected && looks.get('redis')?.ok) looks.set('redis', REDIS_AWAY);
    const bad = [...looks].filter(([, look]) => !look.ok);
    const notReady = bad.some(([, look]) => look.decides);
    return {
      status: notReady ? 'not ready' : bad.length > 0 ? 'degraded' : 'ready',
      degraded: bad.filter(([, look]) => !look.decides).map(([name]) => name),
      checks: Object.fromEntries([...looks].map(([name, look]) => [name, toResult(look, inFull)])),
    };
  }

  /** From now on a balancer is told to send nothing more. */
  close(): void {
    this.closing = true;
  }

  get isClosing(): boolean {
    return this.closing;
  }

  private async watch(): Promise<void> {
    const startedUntil = this.clock.now() + STARTING_MS;
    let isStarting = true;
    while (!this.over.signal.aborted) {
      await this.lookNow();
      isStarting &&= this.look(false).status !== 'ready' && this.clock.now() < startedUntil;
      const pauseMs = isStarting ? LOOK_SOON_MS : LOOK_EVERY_MS;
      await this.clock.sleep(pauseMs, this.over.signal).catch(() => undefined);
    }
  }

  private async lookNow(): Promise<void> {
    const isTurn = this.round++ % OTHERS_EVERY === 0;
    const asked: Record<string, Promise<Look>> = { redis: this.askRedis(isTurn) };
    for (const gate of this.gates()) asked[gate.name] = this.askGate(gate);
    if (isTurn || this.looks.get('storage')?.ok === false) {
      asked.storage = this.askStorage();
    }
    if (isTurn || this.looks.get('livekit')?.ok === false) {
      asked.livekit = this.askOther('LiveKit', () => this.livekit.checkAccess());
    }
    const names = Object.keys(asked);
    const answers = await Promise.all(Object.values(asked));
    const looks = new Map(this.looks);
    names.forEach((name, i) => {
      const answer = answers[i];
      if (answer) looks.set(name, answer);
    });
    const told: Readonly<Record<string, string | null>> = { ...this.beat.seen, ...this.redis.problems };
    for (const name of TOLD) {
      const problem = told[name];
      // Without Redis it is not known.
      if (problem === undefined) looks.delete(name);
      else looks.set(name, problem === null ? OK : { ok: false, problem, decides: false });
    }
    const workers = looks.get('workers');
    for (const { name } of this.gates()) {
      const look = looks.get(name);
      // What comes first is done by workers.
      if (look && !look.ok && workers && !workers.ok) {
        looks.set(name, { ...look, problem: `${look.problem}; ${workers.problem}` });
      }
    }
    this.looks = looks;
  }

  private gates(): ReadinessGate[] {
    return this.discovery
      .getProviders()
      .map(({ instance }: { instance: unknown }) => instance)
      .filter((instance): instance is ReadinessGate => instance instanceof ReadinessGate);
  }

  private async askRedis(isTurn: boolean): Promise<Look> {
    const problem = await this.ask('Redis', async () => {
      await this.beat.strike();
      if (isTurn) await this.redis.look();
    });
    return problem === null ? OK : { ...REDIS_AWAY, problem: problem.message };
  }

  private async askStorage(): Promise<Look> {
    const problem = await this.ask('the storage', () => this.storage.check());
    // It may be listed and not be written to; what was tried at the start is told until it works.
    const { problem: tried } = this.storageHealth;
    if (problem === null) return tried === null ? OK : storageLook(tried.plain, tried.detail);
    const { cause } = problem;
    return storageLook(problem.message, cause instanceof StorageFault ? cause.message : this.storage.place);
  }

  private async askGate(gate: ReadinessGate): Promise<Look> {
    let waitingFor: string | null = null;
    const problem = await this.ask(gate.name, async () => {
      waitingFor = await gate.waitingFor();
    });
    const { decides } = gate;
    if (problem !== null)
      return { ok: false, problem: problem.message, publicly: REDIS_AWAY.publicly, decides };
    return waitingFor === null ? OK : { ok: false, problem: waitingFor, decides };
  }

  private async askOther(who: string, question: () => Promise<void>): Promise<Look> {
    const problem = (await this.ask(who, question))?.message ?? null;
    if (problem === null) return OK;
    const publicly = this.namesPlaces(problem) ? `${who} can not be used; an ADMIN is told why` : problem;
    return { ok: false, problem, publicly, decides: false };
  }

  /** Where things are, and how they are opened, is nobody's but an ADMIN's. */
  private namesPlaces(problem: string): boolean {
    const host = parseUrl(this.config.livekit.url)?.hostname;
    return ADDRESS.test(problem) || (host !== undefined && problem.includes(host));
  }

  /** Null, or what is wrong; its message is fit for a client, its cause is not. */
  private async ask(who: string, question: () => Promise<void>): Promise<Error | null> {
    const answer = question().then(
      () => null,
      (error: unknown) => (isTallyError(error) ? error : new Error(`${who} can not be asked`)),
    );
    const late = (): Error => new Error(`${who} did not answer within ${CHECK_LIMIT_MS / 1_000} s`);
    return await awaitWithin(this.clock, CHECK_LIMIT_MS, answer, late);
  }
}

const TOLD = ['workers', 'clock', 'redis_memory', 'redis_settings'] as const;
const OK: Look = { ok: true, decides: false };
const REDIS_AWAY: Look = {
  ok: false,
  problem: 'Redis does not answer',
  publicly: 'Redis does not answer, or takes no writes; an ADMIN is told why',
  decides: true,
};

const ADDRESS = /\d\.\d{1,3}\.\d{1,3}\.\d|:\/\/|:\d{2,5}\b|S3_/;

/** It names hosts, buckets and objects in `detail` alone. */
function storageLook(plain: string, detail: string): Look {
  return { ok: false, problem: `${plain}. ${detail}`, publicly: plain, decides: false };
}

function failed(problem: string): Look {
  return { ok: false, problem, decides: true };
}

function toResult({ ok, problem, publicly }: Look, inFull: boolean): CheckResult {
  if (ok) return { ok };
  return { ok, problem: inFull ? problem : (publicly ?? problem) };
}
