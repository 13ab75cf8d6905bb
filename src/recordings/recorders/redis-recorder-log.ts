import { Injectable } from '@nestjs/common';
import type { MediaProgress } from '../domain/evidence.js';
import { keys } from '../../redis/keys.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { presenceOf, RecorderLog, type RecorderState } from './recorder-log.port.js';

/** Questions are asked every few seconds: what is older than this belongs to no silence any more. */
const SILENCE_SECONDS = 3_600;
const KEPT_QUESTIONS = 50;
/** Workers that died, the latest: LiveKit forgets none of their egresses. */
const KEPT_DEAD = 10_000;
/** What was noted so long ago is of an egress that nobody will ever forget: its recording is gone. */
const KEPT_MS = 7 * 86_400_000;

@Injectable()
export class RedisRecorderLog extends RecorderLog {
  constructor(private readonly connections: RedisConnections) {
    super();
  }

  async heard(egressId: string, askedAt: number): Promise<void> {
    await this.connections.pipeline((all) =>
      all
        .zadd(keys.heard(), 'GT', askedAt, egressId)
        .zremrangebyscore(keys.heard(), '-inf', `(${askedAt - KEPT_MS}`),
    );
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
    const [heard, silent, seen, left, nudged] = await this.connections.pipeline((all) =>
      all
        .zscore(keys.heard(), egressId)
        .zrange(keys.silence(egressId), 0, -1)
        .zscore(keys.recorderNotes('seen'), egressId)
        .zscore(keys.recorderNotes('left'), egressId)
        .zscore(keys.recorderNotes('nudged'), egressId),
    );
    const heardAt = instantOf(heard);
    const silentAt = (silent as string[]).map(Number).filter((at) => heardAt === null || at > heardAt);
    return {
      heardAt,
      silentAt,
      presence: presenceOf(instantOf(seen), instantOf(left)),
      nudgedAt: instantOf(nudged),
    };
  }

  async anotherHeardSince(egressId: string, at: number): Promise<boolean> {
    const latest = await this.connections.run((redis) =>
      redis.zrange(keys.heard(), '+inf', `(${at}`, 'BYSCORE', 'REV', 'LIMIT', 0, 2),
    );
    return latest.some((id) => id !== egressId);
  }

  async setPresence(egressId: string, presence: 'seen' | 'left', at: number): Promise<void> {
    await this.note(presence, egressId, at);
  }

  async nudge(egressId: string, at: number): Promise<void> {
    await this.note('nudged', egressId, at);
  }

  private async note(what: 'seen' | 'left' | 'nudged', egressId: string, at: number): Promise<void> {
    const key = keys.recorderNotes(what);
    await this.connections.pipeline((all) =>
      all.zadd(key, 'GT', at, egressId).zremrangebyscore(key, '-inf', `(${at - KEPT_MS}`),
    );
  }

  async progress(egressId: string): Promise<MediaProgress | null> {
    const noted = await this.connections.run((redis) => redis.get(keys.mediaProgress(egressId)));
    return noted === null ? null : (JSON.parse(noted) as MediaProgress);
  }

  async setProgress(egressId: string, progress: MediaProgress): Promise<void> {
    const { stillAt } = progress;
    const noted = JSON.stringify({ ...progress, stillAt: stillAt.slice(-KEPT_QUESTIONS) });
    await this.connections.run((redis) =>
      redis.set(keys.mediaProgress(egressId), noted, 'EX', SILENCE_SECONDS),
    );
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
        .zrem(keys.recorderNotes('seen'), egressId)
        .zrem(keys.recorderNotes('left'), egressId)
        .zrem(keys.recorderNotes('nudged'), egressId)
        .del(keys.silence(egressId), keys.mediaProgress(egressId)),
    );
  }
}

function instantOf(score: unknown): number | null {
  return typeof score === 'string' ? Number(score) : null;
}
