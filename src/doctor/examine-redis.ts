import { Injectable } from '@nestjs/common';
import { newToken } from '../kernel/ids.js';
import { isTallyError } from '../kernel/errors.js';
import { SystemClock } from '../kernel/clock.js';
import { clockProblem, presentWorkers } from '../ops/process-beat.js';
import { keys } from '../redis/keys.js';
import { RedisCondition } from '../redis/redis-condition.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { type Finding, Examination, fault, note, ok, unknown } from './finding.js';

/** Redis: whether it is there, takes writes, keeps what it is given, and what stands in it of ours. Writes nothing. */
@Injectable()
export class ExamineRedis extends Examination {
  readonly area = 'redis';

  constructor(
    private readonly connections: RedisConnections,
    private readonly condition: RedisCondition,
  ) {
    super();
  }

  async examine(): Promise<Finding[]> {
    try {
      await this.connections.run((redis) => redis.ping());
    } catch (error) {
      const fix =
        'check REDIS_URL (host, port, user, password, TLS), and that Redis runs and can be reached from here';
      return [fault('redis.reachable', messageOf(error), fix)];
    }
    const looks = [
      () => this.server(),
      () => this.persistence(),
      () => this.writable(),
      () => this.time(),
      () => this.ours(),
    ];
    const findings: Finding[] = [ok('redis.reachable', 'it answers')];
    for (const look of looks) findings.push(...(await look().catch(couldNotLook)));
    return findings;
  }

  private async server(): Promise<Finding[]> {
    await this.condition.look();
    const { redis_memory: memory, redis_settings: settings } = this.condition.problems;
    return [
      memory == null ? ok('redis.memory', this.condition.words) : problem('redis.memory', memory),
      ...(settings == null
        ? [ok('redis.settings', 'version and eviction are as needed')]
        : settings.split('. ').map((one) => problem('redis.settings', one))),
    ];
  }

  /** Who may not ask is told so by `server`. */
  private async persistence(): Promise<Finding[]> {
    const name = 'redis.persistence';
    const info = await this.connections.run(async (redis) => String(await redis.call('INFO', 'persistence')));
    const field = (key: string): string | undefined => new RegExp(`^${key}:(\\S+)`, 'm').exec(info)?.[1];
    if (field('aof_enabled') === undefined) return [unknown(name, 'INFO does not say')];
    if (field('aof_enabled') === '0') {
      return [
        fault(
          name,
          'appendonly is off: a Redis that is started again has lost what was not saved, and everything is rebuilt from the storage',
          'set appendonly yes (appendfsync everysec is enough)',
        ),
      ];
    }
    const failed = ['aof_last_write_status', 'aof_last_bgrewrite_status'].filter(
      (key) => field(key) === 'err',
    );
    if (failed.length === 0) return [ok(name, 'appendonly is on')];
    return [
      fault(name, `the last write of its file failed (${failed.join(', ')})`, 'free or enlarge its disk'),
    ];
  }

  /** Nothing is written past the end of what is not there, and is refused all the same where nothing may be written. */
  private async writable(): Promise<Finding[]> {
    const name = 'redis.writable';
    try {
      await this.connections.command.setrange(keys.doctor(newToken()), 0, '');
      return [ok(name, 'it takes writes')];
    } catch (error) {
      const said = messageOf(error);
      if (said.startsWith('NOPERM')) return [unknown(name, `the Redis user may not ask: ${said}`)];
      return [fault(name, `it takes no writes: ${said}`, writeAdvice(said))];
    }
  }

  private async time(): Promise<Finding[]> {
    const clock = new SystemClock();
    const askedAt = clock.now();
    const [seconds, micros] = await this.connections.run((redis) => redis.time());
    const now = Math.round(Number(seconds) * 1_000 + Number(micros) / 1_000);
    const wrong = clockProblem(now, askedAt, clock.now());
    return [
      wrong === null ? ok('redis.clock', 'it agrees with this machine') : problem('redis.clock', wrong),
    ];
  }

  private async ours(): Promise<Finding[]> {
    const epoch = await this.connections.run((redis) => redis.get(keys.epoch()));
    if (epoch === null) {
      return [
        note(
          'redis.data',
          'it holds nothing of ours: the next instance that starts fills it from the storage',
        ),
      ];
    }
    const [seconds] = await this.connections.run((redis) => redis.time());
    const workers = await this.connections.run((redis) => presentWorkers(redis, Number(seconds) * 1_000));
    return [
      ok('redis.data', 'it holds our data'),
      workers > 0
        ? ok('redis.workers', `${workers} processes of ours run jobs`)
        : fault('redis.workers', 'no process of ours runs jobs', 'start one whose ROLE is worker or all'),
    ];
  }
}

/** Sentences of the product name the trouble and, behind a colon, what to do. */
function problem(name: string, sentence: string): Finding {
  const colon = sentence.indexOf(': ');
  return colon < 0
    ? fault(name, sentence, 'see docs/operations.md')
    : fault(name, sentence.slice(0, colon), sentence.slice(colon + 2));
}

function couldNotLook(error: unknown): Finding[] {
  return [unknown('redis', messageOf(error))];
}

function messageOf(error: unknown): string {
  if (isTallyError(error) && error.cause instanceof Error)
    return `${error.message} (${error.cause.message.slice(0, 200)})`;
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}

function writeAdvice(said: string): string {
  if (said.startsWith('READONLY')) return 'REDIS_URL names a replica: name the primary, or the Sentinels';
  if (said.startsWith('OOM')) return 'it is full: raise maxmemory, or free memory';
  if (said.startsWith('MISCONF')) return 'it can not save to its disk: free or enlarge the disk';
  if (said.startsWith('NOREPLICAS'))
    return 'too few replicas are connected: start them, or lower min-replicas-to-write';
  return 'see what it says';
}
