import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { AtomicWrite } from '../../kernel/atomic-write.js';
import { Clock } from '../../kernel/clock.js';
import type { BulkDeletionId } from '../../kernel/ids.js';
import { BOUNDS } from '../../kernel/bounds.js';
import { BULK_DELETIONS_CHANNEL, keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import { type RedisCommand, toAtomicWrite } from '../../redis/redis-command.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import {
  type BulkDeletion,
  type BulkDeletionFailure,
  type BulkDeletionSeen,
  type BulkDeletionStatus,
  type Entry,
  isSettled,
  keptSeconds,
  NEW_WORK,
  type Opening,
} from '../domain/bulk-deletion.js';
import { notFound } from '../domain/verdict.js';
import { BulkDeletionStore, type Step, workOf } from './bulk-deletion.store.js';

const createScript = new Script(join(__dirname, 'create-bulk-deletion.lua'));
const advanceScript = new Script(join(__dirname, 'advance-bulk-deletion.lua'));
/** A step takes less; who has not been heard of for so long has lost its job. */
const STEP_LIMIT_MS = 20_000;
const FIRST_TOUCH_MS = 3_000;
const PARTS = ['', 'pending', 'work', 'deleted', 'failed', 'unseen'] as const;

/** A row and its lists, in the keys of one hash slot. */
@Injectable()
export class RedisBulkDeletionStore extends BulkDeletionStore {
  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async create(bulk: BulkDeletion, opening: Opening): Promise<boolean> {
    const commands = creating(bulk, opening);
    // What has finished at once takes nobody's place.
    const limit = isSettled(bulk, opening) ? Infinity : BOUNDS.bulkDeletionsPerCaller;
    const created = await createScript.run(
      this.connections.command,
      [keys.epoch(), placesOf(bulk), ...new Set(commands.map(([, key]) => key))],
      [String(limit), ...commands.flatMap((command) => [String(command.length), ...command])],
    );
    if (created === -1) throw redisWasReset();
    if (isSettled(bulk, opening)) await this.forgetOldest(bulk);
    return created === 1;
  }

  creation(bulk: BulkDeletion, opening: Opening): AtomicWrite[] {
    return creating(bulk, opening).map(toAtomicWrite);
  }

  async get(id: BulkDeletionId): Promise<BulkDeletionSeen | null> {
    // In one step: a recording that passes from one list to another between two reads would count twice, or not at all.
    const [whole, row, pending, deleted, failed, unseen] = (await this.connections.multi((multi) =>
      multi
        .exists(keys.epoch())
        .hgetall(keys.bulkDeletion(id))
        .zcard(keys.bulkDeletion(id, 'pending'))
        .llen(keys.bulkDeletion(id, 'deleted'))
        .zcard(keys.bulkDeletion(id, 'failed'))
        .llen(keys.bulkDeletion(id, 'unseen')),
    )) as [number, Record<string, string>, number, number, number, number];
    // While what was lost is not back, what is missing is not "no".
    if (whole === 0) throw redisWasReset();
    return row.doc === undefined
      ? null
      : toSeen(JSON.parse(row.doc) as BulkDeletion, row, { pending, deleted, failed: failed + unseen });
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
    const text = {
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
    };
    return this.run(id, text, []);
  }

  async finish(bulk: BulkDeletion): Promise<void> {
    const now = String(this.clock.now());
    const step = { finishAt: now, touchAt: now, keepSeconds: keptSeconds(bulk, true) };
    await this.run(bulk.id, step, [finishedOf(bulk), placesOf(bulk)]);
    await this.forgetOldest(bulk);
  }

  async deletedIds(id: BulkDeletionId, first: number, offset: number): Promise<string[]> {
    return this.connections.run((redis) =>
      redis.lrange(keys.bulkDeletion(id, 'deleted'), offset, offset + first - 1),
    );
  }

  async failures(id: BulkDeletionId, first: number, offset: number): Promise<BulkDeletionFailure[]> {
    const [ids, count] = (await this.connections.pipeline((all) =>
      all
        .zrange(keys.bulkDeletion(id, 'failed'), offset, offset + first - 1)
        .zcard(keys.bulkDeletion(id, 'failed')),
    )) as [string[], number];
    const texts =
      ids.length === 0
        ? []
        : await this.connections.run((redis) => redis.hmget(keys.bulkDeletion(id, 'work'), ...ids));
    const from = Math.max(0, offset - count);
    const unseen =
      ids.length === first
        ? []
        : await this.connections.run((redis) =>
            redis.lrange(keys.bulkDeletion(id, 'unseen'), from, from + first - ids.length - 1),
          );
    return [
      ...texts.filter((text) => text !== null).map((text) => JSON.parse(text) as BulkDeletionFailure),
      ...unseen.map((recordingId) => ({ recordingId, ...notFound(recordingId), attempts: 1 })),
    ];
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

  private async run(id: BulkDeletionId, step: object, ofCaller: readonly string[]): Promise<number> {
    const text = JSON.stringify({ ...step, id, channel: BULK_DELETIONS_CHANNEL });
    const own = PARTS.map((part) => keys.bulkDeletion(id, part));
    const all = [...own, keys.unfinishedBulkDeletions(), ...ofCaller];
    return Number(await advanceScript.run(this.connections.command, all, [text]));
  }

  /** Whoever asks for more than are kept loses its own oldest. */
  private async forgetOldest(bulk: BulkDeletion): Promise<void> {
    const finished = finishedOf(bulk);
    const oldest = await this.connections.run((redis) =>
      redis.zrange(finished, 0, -BOUNDS.bulkDeletionsKept - 1),
    );
    for (const id of oldest as BulkDeletionId[]) {
      await this.connections.run((redis) =>
        redis.unlink(...PARTS.map((part) => keys.bulkDeletion(id, part))),
      );
      await this.connections.run((redis) => redis.zrem(finished, id));
    }
  }
}

function placesOf({ requestedBy, dryRun }: BulkDeletion): string {
  return keys.bulkDeletionsOf(requestedBy.callerId, dryRun ? 'dry-under-way' : 'under-way');
}

function finishedOf({ requestedBy }: BulkDeletion): string {
  return keys.bulkDeletionsOf(requestedBy.callerId, 'finished');
}

function creating(bulk: BulkDeletion, opening: Opening): RedisCommand[] {
  const { id, scope, createdAt } = bulk;
  const { pending, unseen, deleted, failed } = opening;
  const key = (part?: (typeof PARTS)[number]): string => keys.bulkDeletion(id, part);
  const row = ['doc', JSON.stringify(bulk), 'status', 'QUEUED', 'attempt', '0'];
  const filled: RedisCommand[] = [
    ['HSET', key(), ...row, 'order', String(pending.length + failed.length)],
    ['ZADD', key('pending'), ...pending.flatMap((one, i) => [String(i + 1), one])],
    ['RPUSH', key('unseen'), ...unseen],
    ['RPUSH', key('deleted'), ...deleted],
    ['ZADD', key('failed'), ...failed.flatMap(({ recordingId }, i) => [String(i + 1), recordingId])],
    ['HSET', key('work'), ...failed.flatMap((one) => [one.recordingId, JSON.stringify(one)])],
    ...(scope === 'ids' ? ([['HSET', key(), 'collected', '1']] as const) : []),
  ];
  const commands = filled.filter((command) => command.length > 2);
  if (isSettled(bulk, opening)) return [...commands, ...settling(bulk, opening)];
  return [
    ...commands,
    ['ZADD', keys.unfinishedBulkDeletions(), String(createdAt + FIRST_TOUCH_MS), id],
    ['ZADD', placesOf(bulk), String(createdAt), id],
  ];
}

/** Of one about which nothing is left to do. */
function settling(bulk: BulkDeletion, { unseen, failed }: Opening): RedisCommand[] {
  const { id, createdAt } = bulk;
  const seconds = String(keptSeconds(bulk, failed.length > 0));
  const status = unseen.length + failed.length === 0 ? 'COMPLETED' : 'COMPLETED_WITH_FAILURES';
  const over = ['status', status, 'attempt', '1', 'finishedAt', String(createdAt)];
  return [
    ['HSET', keys.bulkDeletion(id), ...over],
    ...PARTS.map((part): RedisCommand => ['EXPIRE', keys.bulkDeletion(id, part), seconds]),
    ['ZADD', finishedOf(bulk), String(createdAt), id],
    ['EXPIRE', finishedOf(bulk), String(keptSeconds(bulk, true))],
  ];
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
