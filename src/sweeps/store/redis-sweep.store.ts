import { Injectable } from '@nestjs/common';
import { keys } from '../../redis/keys.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import type { SweepName, SweepRun } from '../sweep.js';
import { type Held, SweepStore } from './sweep.store.js';

/** A run that somebody waits for is read within seconds; the last of each name stays. */
const RUN_SECONDS = 3_600;

@Injectable()
export class RedisSweepStore extends SweepStore {
  constructor(private readonly connections: RedisConnections) {
    super();
  }

  async save(run: SweepRun): Promise<void> {
    const text = JSON.stringify(run);
    await this.connections.run(async (redis) => {
      await redis.set(keys.sweepRun(run.id), text, 'EX', RUN_SECONDS);
      await redis.hset(keys.lastSweeps(), run.name, text);
    });
  }

  async run(id: string): Promise<SweepRun | null> {
    return parse<SweepRun>(await this.connections.run((redis) => redis.get(keys.sweepRun(id))));
  }

  async lastRun(name: SweepName): Promise<SweepRun | null> {
    return parse<SweepRun>(await this.connections.run((redis) => redis.hget(keys.lastSweeps(), name)));
  }

  async candidates(name: SweepName): Promise<ReadonlySet<string>> {
    return new Set(
      parse<string[]>(await this.connections.run((redis) => redis.get(keys.sweepCandidates(name)))) ?? [],
    );
  }

  async saveCandidates(name: SweepName, candidates: ReadonlySet<string>): Promise<void> {
    await this.connections.run((redis) =>
      redis.set(keys.sweepCandidates(name), JSON.stringify([...candidates])),
    );
  }

  async held(name: string): Promise<Held | null> {
    return parse<Held>(await this.connections.run((redis) => redis.get(keys.breaker(name))));
  }

  async hold(name: string, held: Held | null): Promise<void> {
    await this.connections.run<unknown>((redis) =>
      held === null ? redis.del(keys.breaker(name)) : redis.set(keys.breaker(name), JSON.stringify(held)),
    );
  }
}

function parse<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
