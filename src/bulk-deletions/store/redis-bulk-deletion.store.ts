import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { BulkDeletionId } from '../../kernel/ids.js';
import { BULK_DELETIONS_CHANNEL, keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import type { RedisCommand } from '../../redis/redis-command.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import {
  type BulkDeletion,
  type BulkDeletionFailure,
  type BulkDeletionSeen,
  type BulkDeletionStatus,
  type Entry,
  NEW_WORK,
} from '../domain/bulk-deletion.js';
import { BulkDeletionStore, type Step, workOf } from './bulk-deletion.store.js';

const advanceScript = new Script(join(__dirname, 'advance-bulk-deletion.lua'));
const KEPT_SECONDS = 7 * 86_400;
/** Whoever asks for more than this within the time for which they are kept loses the oldest. */
const MOST_KEPT = 1_000;
/** A step takes less; who has not been heard of for so long has lost its job. */
const STEP_LIMIT_MS = 20_000;
const FIRST_TOUCH_MS = 3_000;
const PARTS = ['', 'pending', 'work', 'deleted', 'failed'] as const;

/** A row and its lists, in the keys of one hash slot. */
@Injectable()
export class RedisBulkDeletionStore extends BulkDeletionStore {
  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async create(bulk: BulkDeletion, recordingIds: readonly string[]): Promise<void> {
    if ((await this.connections.run((redis) => redis.exists(keys.epoch()))) === 0) throw redisWasReset();
    await this.connections.multi((multi) =>
      this.creation(bulk, recordingIds).reduce((so, [command, ...rest]) => so.call(command, ...rest), multi),
    );
  }

  creation(bulk: BulkDeletion, recordingIds: readonly string[]): RedisCommand[] {
    const { id, scope, createdAt } = bulk;
    const row = ['doc', JSON.stringify(bulk), 'status', 'QUEUED', 'attempt', '0'];
    const order = recordingIds.flatMap((recordingId, i) => [String(i + 1), recordingId]);
    return [
      ['HSET', keys.bulkDeletion(id), ...row, 'order', String(recordingIds.length)],
      ...(scope === 'ids' ? ([['HSET', keys.bulkDeletion(id), 'collected', '1']] as const) : []),
      ...(order.length > 0 ? ([['ZADD', keys.bulkDeletion(id, 'pending'), ...order]] as const) : []),
      ['ZADD', keys.unfinishedBulkDeletions(), String(createdAt + FIRST_TOUCH_MS), id],
    ];
  }

  async get(id: BulkDeletionId): Promise<BulkDeletionSeen | null> {
    // In one step: a recording that passes from one list to another between two reads would count twice, or not at all.
    const [whole, row, pending, deleted, failed] = (await this.connections.multi((multi) =>
      multi
        .exists(keys.epoch())
        .hgetall(keys.bulkDeletion(id))
        .zcard(keys.bulkDeletion(id, 'pending'))
        .llen(keys.bulkDeletion(id, 'deleted'))
        .zcard(keys.bulkDeletion(id, 'failed')),
    )) as [number, Record<string, string>, number, number, number];
    // While what was lost is not back, what is missing is not "no".
    if (whole === 0) throw redisWasReset();
    return row.doc === undefined
      ? null
      : toSeen(JSON.parse(row.doc) as BulkDeletion, row, { pending, deleted, failed });
  }

  async due(id: BulkDeletionId, now: number, limit: number) {
    const pending = keys.bulkDeletion(id, 'pending');
    const [ids, next] = (await this.connections.pipeline((all) =>
      all.zrange(pending, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit).zrange(pending, 0, 0, 'WITHSCORES'),
    )) as [string[], string[]];
    const works =
      ids.length === 0
        ? []
        : await this.connections.run((redis) => redis.hmget(keys.bulkDeletion(id, 'work'), ...ids));
    const entries = ids.map((recordingId, i): Entry => ({ recordingId, work: workOf(works[i]) ?? NEW_WORK }));
    return { entries, nextAt: next[1] === undefined ? null : Number(next[1]) };
  }

  async advance(id: BulkDeletionId, step: Step): Promise<number> {
    const { collectedTo } = step;
    return this.run(id, {
      touchAt: String(this.clock.now() + STEP_LIMIT_MS),
      attempt: step.attempt,
      claimed: step.claimed?.map(({ recordingId, work }) => [recordingId, JSON.stringify(work)]),
      later: step.later?.map(({ recordingId, work, dueAt }) => [
        recordingId,
        JSON.stringify(work),
        String(Math.round(dueAt)),
      ]),
      deleted: step.deleted,
      forgotten: step.forgotten,
      failed: step.failed?.map(({ unlessClaimed, ...failure }) => [
        failure.recordingId,
        JSON.stringify(failure),
        unlessClaimed ? '1' : '0',
      ]),
      found: step.found,
      ...(typeof collectedTo === 'string' && { collectedTo }),
      ...(collectedTo === null && { collected: '1' }),
    });
  }

  async finish(id: BulkDeletionId): Promise<void> {
    const now = this.clock.now();
    await this.run(id, { finishAt: String(now), touchAt: String(now), keepSeconds: KEPT_SECONDS });
    await this.forgetOldest(now);
  }

  async deletedIds(id: BulkDeletionId, first: number, offset: number): Promise<string[]> {
    return this.connections.run((redis) =>
      redis.lrange(keys.bulkDeletion(id, 'deleted'), offset, offset + first - 1),
    );
  }

  async failures(id: BulkDeletionId, first: number, offset: number): Promise<BulkDeletionFailure[]> {
    const ids = await this.connections.run((redis) =>
      redis.zrange(keys.bulkDeletion(id, 'failed'), offset, offset + first - 1),
    );
    if (ids.length === 0) return [];
    const texts = await this.connections.run((redis) => redis.hmget(keys.bulkDeletion(id, 'work'), ...ids));
    return texts.filter((text) => text !== null).map((text) => JSON.parse(text) as BulkDeletionFailure);
  }

  async abandoned(limit: number): Promise<BulkDeletionId[]> {
    const now = this.clock.now();
    const key = keys.unfinishedBulkDeletions();
    const ids = await this.connections.run((redis) =>
      redis.zrange(key, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit),
    );
    for (const id of ids) await this.expectTouchAt(id as BulkDeletionId, now);
    return ids as BulkDeletionId[];
  }

  async expectTouchAt(id: BulkDeletionId, at: number): Promise<void> {
    // Not for one that another has finished meanwhile.
    await this.connections.run((redis) =>
      redis.zadd(keys.unfinishedBulkDeletions(), 'XX', at + STEP_LIMIT_MS, id),
    );
  }

  private async run(id: BulkDeletionId, step: object): Promise<number> {
    const text = JSON.stringify({ ...step, id, channel: BULK_DELETIONS_CHANNEL });
    const own = PARTS.map((part) => keys.bulkDeletion(id, part));
    const shared = [keys.unfinishedBulkDeletions(), keys.finishedBulkDeletions()];
    return Number(await advanceScript.run(this.connections.command, [...own, ...shared], [text]));
  }

  private async forgetOldest(now: number): Promise<void> {
    const finished = keys.finishedBulkDeletions();
    await this.connections.run((redis) =>
      redis.zremrangebyscore(finished, '-inf', now - KEPT_SECONDS * 1_000),
    );
    const oldest = await this.connections.run((redis) => redis.zrange(finished, 0, -MOST_KEPT - 1));
    for (const id of oldest as BulkDeletionId[]) {
      await this.connections.run((redis) =>
        redis.unlink(...PARTS.map((part) => keys.bulkDeletion(id, part))),
      );
      await this.connections.run((redis) => redis.zrem(finished, id));
    }
  }
}

function toSeen(
  bulk: BulkDeletion,
  row: Record<string, string>,
  { pending, deleted, failed }: { pending: number; deleted: number; failed: number },
): BulkDeletionSeen {
  const known = pending + deleted + failed;
  const collected = row.collected === '1';
  return {
    ...bulk,
    status: row.status as BulkDeletionStatus,
    attempt: Number(row.attempt),
    total: collected ? known : Math.max(known, bulk.expected),
    deletedCount: deleted,
    failedCount: failed,
    finishedAt: row.finishedAt === undefined ? null : Number(row.finishedAt),
    collected,
    collectedTo: row.collectedTo ?? null,
  };
}
