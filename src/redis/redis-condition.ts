import { Injectable, Logger } from '@nestjs/common';
import { RedisConnections } from './redis.connections.js';
import { prefixOf, redisFailure } from './redis-failure.js';

/** From here on somebody is told, while writing still works. */
const NEARLY_FULL = 0.9;
const LEAST_VERSION = 7;
const REFUSED =
  'the Redis user may not run INFO, so nobody watches how full Redis is and what it evicts; allow +info to it';

interface ServerFacts {
  readonly role: string | null;
  readonly usedBytes: number;
  /** 0: no limit but the host's. */
  readonly maxBytes: number;
  readonly policy: string | null;
  readonly version: string | null;
}

/** What is wrong with the server that holds our keys, for an operator; null where nothing is. */
export interface RedisProblems {
  readonly redis_memory?: string | null;
  readonly redis_settings?: string | null;
}

/** How Redis itself is: how full, what it does when it is full, its role and version. Without INFO it is not known. */
@Injectable()
export class RedisCondition {
  private readonly log = new Logger('Redis');
  private facts: ServerFacts | null = null;
  private refused = false;
  private told: string | null = null;

  constructor(private readonly connections: RedisConnections) {}

  /** Empty while it is not known. */
  get problems(): RedisProblems {
    return this.facts === null
      ? {}
      : { redis_memory: memoryProblem(this.facts), redis_settings: settingsProblem(this.facts) };
  }

  /** For who looks although nothing is wrong. */
  get words(): string {
    if (this.facts === null) return this.refused ? `takes writes; ${REFUSED}` : 'takes writes';
    const { role, usedBytes, maxBytes, policy } = this.facts;
    const used = maxBytes > 0 ? `${mebi(usedBytes)} of ${mebi(maxBytes)} used` : `${mebi(usedBytes)} used`;
    return ['takes writes', role, used, policy].filter((word) => word !== null).join('; ');
  }

  /** Throws REDIS_UNAVAILABLE. */
  async look(): Promise<void> {
    try {
      this.facts = factsOf(String(await this.connections.owner.call('INFO')));
    } catch (error) {
      this.facts = null;
      const refused = error instanceof Error && prefixOf(error.message) === 'NOPERM';
      if (refused && !this.refused) this.log.log({ event: 'redis_info_refused', message: REFUSED });
      this.refused = refused;
      if (!refused) throw redisFailure(error);
      return;
    }
    this.refused = false;
    this.tell(Object.values(this.problems).filter((problem) => problem !== null));
  }

  private tell(problems: readonly string[]): void {
    // How full it is changes all the time; that it is nearly full is told once.
    const now = problems.join('. ');
    const kind = now.replace(/\d[\d,.]*/g, '');
    if (kind === (this.told ?? '')) return;
    this.told = kind;
    if (now === '')
      this.log.log({ event: 'redis_condition_good', message: 'Redis is as it should be again' });
    else this.log.warn({ event: 'redis_condition', message: now });
  }
}

function factsOf(info: string): ServerFacts {
  const fields = new Map(
    info.split(/\r?\n/).map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  const number = (name: string): number => Number(fields.get(name)) || 0;
  const role = fields.get('role');
  return {
    role: role === undefined ? null : role === 'slave' ? 'replica' : role,
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    policy: fields.get('maxmemory_policy') ?? null,
    version: fields.get('redis_version') ?? null,
  };
}

function memoryProblem({ usedBytes, maxBytes }: ServerFacts): string | null {
  if (maxBytes === 0 || usedBytes < NEARLY_FULL * maxBytes) return null;
  const percent = Math.min(100, Math.floor((usedBytes / maxBytes) * 100));
  return `Redis is ${percent} % full (${mebi(usedBytes)} of ${mebi(maxBytes)}): raise maxmemory, or free memory; a full one takes no writes`;
}

function settingsProblem({ policy, version }: ServerFacts): string | null {
  const problems: string[] = [];
  if (policy !== null && policy !== 'noeviction') {
    problems.push(
      `Redis may evict what is needed (maxmemory-policy ${policy}): set it to noeviction, or recordings are forgotten when it is full`,
    );
  }
  if (version !== null && Number.parseInt(version, 10) < LEAST_VERSION) {
    problems.push(`Redis ${version} is too old: use version ${LEAST_VERSION} or later`);
  }
  return problems.length === 0 ? null : problems.join('. ');
}

function mebi(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
