import { Injectable } from '@nestjs/common';
import { keys } from '../../redis/keys.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { RecorderLog, type RecorderState } from './recorder-log.port.js';

/** Questions are asked every few seconds: what is older than this belongs to no silence any more. */
const SILENCE_SECONDS = 3_600;
const KEPT_QUESTIONS = 50;
/** Workers that died, the latest: LiveKit forgets none of their egresses. */
const KEPT_DEAD = 10_000;

@Injectable()
export class RedisRecorderLog extends RecorderLog {
  constructor(private readonly connections: RedisConnections) {
    super();
  }

  async heard(egressId: string, askedAt: number): Promise<void> {
    await this.connections.run((redis) => redis.zadd(keys.heard(), 'GT', askedAt, egressId));
  }

  async silent(egressId: string, askedAt: number): Promise<void> {
    const key = keys.silence(egressId);
    // In one step: a key without its end would stay for ever.
    await this.connections.multi((all) =>
      all
        .zadd(key, askedAt, String(askedAt))
        .zremrangebyrank(key, 0, -KEPT_QUESTIONS - 1)
        .expire(key, SILENCE_SECONDS),
    );
  }

  async state(egressId: string): Promise<RecorderState> {
    const [heard, silent, noted] = await this.connections.pipeline((all) =>
      all
        .zscore(keys.heard(), egressId)
        .zrange(keys.silence(egressId), 0, -1)
        .hmget(keys.recorders(), egressId, nudged(egressId)),
    );
    const heardAt = heard === null ? null : Number(heard);
    const silentAt = (silent as string[]).map(Number).filter((at) => heardAt === null || at > heardAt);
    const [presence, at] = noted as (string | null)[];
    return {
      heardAt,
      silentAt,
      presence: presence === 'seen' || presence === 'left' ? presence : 'unknown',
      nudgedAt: at == null ? null : Number(at),
    };
  }

  async anotherHeardSince(egressId: string, at: number): Promise<boolean> {
    const latest = await this.connections.run((redis) =>
      redis.zrange(keys.heard(), '+inf', `(${at}`, 'BYSCORE', 'REV', 'LIMIT', 0, 2),
    );
    return latest.some((id) => id !== egressId);
  }

  async setPresence(egressId: string, presence: 'seen' | 'left'): Promise<void> {
    await this.connections.run((redis) => redis.hset(keys.recorders(), egressId, presence));
  }

  async nudge(egressId: string, at: number): Promise<void> {
    await this.connections.run((redis) => redis.hset(keys.recorders(), nudged(egressId), at));
  }

  async markDead(egressId: string, at: number): Promise<void> {
    await this.connections.pipeline((all) =>
      all.zadd(keys.deadEgresses(), at, egressId).zremrangebyrank(keys.deadEgresses(), 0, -KEPT_DEAD - 1),
    );
  }

  async isDead(egressId: string): Promise<boolean> {
    const diedAt = await this.connections.run((redis) => redis.zscore(keys.deadEgresses(), egressId));
    return diedAt !== null;
  }

  async forget(egressId: string): Promise<void> {
    await this.connections.pipeline((all) =>
      all
        .zrem(keys.heard(), egressId)
        .hdel(keys.recorders(), egressId, nudged(egressId))
        .del(keys.silence(egressId)),
    );
  }
}

function nudged(egressId: string): string {
  return `${egressId} nudged`;
}
