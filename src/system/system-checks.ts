import { Injectable } from '@nestjs/common';
import { Clock, awaitWithin } from '../kernel/clock.js';
import type { IncidentKind } from '../incidents/incidents.port.js';
import { ReadinessProbe } from '../ops/readiness.js';
import { WebhooksHeard } from '../ops/webhooks-heard.js';
import { RedisCondition } from '../redis/redis-condition.js';
import { redisFailure } from '../redis/redis-failure.js';

export interface Check {
  readonly name: string;
  readonly state: 'OK' | 'DEGRADED' | 'UNAVAILABLE';
  /** What is wrong and what to do; what is right where nothing is wrong. */
  readonly detail: string;
  /** What is opened while it is not OK; null: nothing. */
  readonly incident: IncidentKind | null;
}

const ASK_LIMIT_MS = 3_000;

/** Without Redis nothing can be answered; without the others what is there still can. */
const STATE_WITHOUT: Readonly<Record<string, Check['state']>> = {
  redis: 'UNAVAILABLE',
  rebuild: 'UNAVAILABLE',
  process: 'UNAVAILABLE',
  workers: 'UNAVAILABLE',
};
const WHEN_RIGHT: Readonly<Record<string, string>> = {
  rebuild: 'no rebuild is under way',
  reconciliation: 'recordings in progress have been compared with LiveKit since the start',
  workers: 'processes of ours run jobs',
  clock: 'this process and Redis agree on the time',
  redis_memory: 'Redis has room',
  redis_settings: 'Redis evicts nothing, and is new enough',
};
const INCIDENT_OF: Readonly<Record<string, IncidentKind>> = {
  storage: 'dependency_unavailable',
  livekit: 'dependency_unavailable',
  workers: 'no_workers',
};

/** Looks at what this deployment depends on and is made of. */
@Injectable()
export class SystemChecks {
  constructor(
    private readonly readiness: ReadinessProbe,
    private readonly condition: RedisCondition,
    private readonly heard: WebhooksHeard,
    private readonly clock: Clock,
  ) {}

  async look(): Promise<Check[]> {
    const { checks } = this.readiness.look(true);
    const looks = Object.entries(checks).map(([name, { ok, problem }]): Check => ({
      name,
      state: ok ? 'OK' : (STATE_WITHOUT[name] ?? 'DEGRADED'),
      detail: ok ? this.whenRight(name) : (problem ?? 'does not answer'),
      incident: INCIDENT_OF[name] ?? null,
    }));
    return [...looks, await this.webhooks()];
  }

  private whenRight(name: string): string {
    return name === 'redis' ? this.condition.words : (WHEN_RIGHT[name] ?? 'answers');
  }

  private async webhooks(): Promise<Check> {
    const [name, incident] = ['livekit_webhooks', 'webhooks_stopped'] as const;
    try {
      const { heardAt, silentSince } = await withLimit(this.clock, this.heard.seen());
      const last =
        heardAt === null ? 'none has come yet' : `the last one came ${new Date(heardAt).toISOString()}`;
      if (silentSince === null) return { name, state: 'OK', detail: last, incident };
      const detail =
        `${last}, and egresses have changed without one since ${new Date(silentSince).toISOString()}: recordings still ` +
        "go on and end, later than they could. Look whether LiveKit's configuration names <PUBLIC_URL>/livekit/webhook under " +
        'webhook.urls, whether LiveKit can reach it, and whether webhooks are refused (webhook_refused in the log)';
      return { name, state: 'DEGRADED', detail, incident };
    } catch (error) {
      return unknown(name, error);
    }
  }
}

/** Could not be asked, which is told at Redis; it opens and closes nothing. */
function unknown(name: string, error: unknown): Check {
  const failure = redisFailure(error);
  const why = failure instanceof Error ? failure.message : String(failure);
  return { name, state: 'DEGRADED', detail: `it can not be told: ${why}`, incident: null };
}

function withLimit<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return awaitWithin(clock, ASK_LIMIT_MS, work, () => {
    throw new Error(`no answer within ${ASK_LIMIT_MS / 1_000} s`);
  });
}
