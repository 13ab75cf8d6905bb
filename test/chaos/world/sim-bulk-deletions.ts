import type {
  BulkDeletion,
  BulkDeletionFailure,
  BulkDeletionSeen,
  Opening,
  Work,
} from '../../../src/bulk-deletions/domain/bulk-deletion.js';
import { isSettled, NEW_WORK } from '../../../src/bulk-deletions/domain/bulk-deletion.js';
import { notFound } from '../../../src/bulk-deletions/domain/verdict.js';
import { BulkDeletionStore, type Step } from '../../../src/bulk-deletions/store/bulk-deletion.store.js';
import type { AtomicWrite } from '../../../src/kernel/atomic-write.js';
import type { BulkDeletionId } from '../../../src/kernel/ids.js';
import type { Incarnation } from './incarnation.js';
import type { RecordingTables } from './sim-recording-store.js';
import { type Table, toAtomicWrite } from './sim-redis.js';

/** One bulk deletion as it stands in Redis; replaced, never changed. */
export interface SimBulk {
  readonly bulk: BulkDeletion;
  readonly status: BulkDeletionSeen['status'];
  readonly attempt: number;
  readonly collected: boolean;
  readonly collectedTo: string | null;
  readonly finishedAt: number | null;
  /** How many places in an order were given. */
  readonly order: number;
  /** By recording: when its time comes. */
  readonly pending: ReadonlyMap<string, number>;
  readonly work: ReadonlyMap<string, Work>;
  readonly deleted: readonly string[];
  readonly failed: readonly BulkDeletionFailure[];
  /** Named, and nothing that its caller can see; told after what failed. */
  readonly unseen: readonly string[];
  readonly touchAt: number;
}

const FIRST_TOUCH_MS = 3_000;
const STEP_LIMIT_MS = 20_000;

function create(tables: Table<SimBulk>, bulk: BulkDeletion, opening: Opening): void {
  const { pending, deleted, failed, unseen } = opening;
  const over = {
    status:
      failed.length + unseen.length === 0 ? ('COMPLETED' as const) : ('COMPLETED_WITH_FAILURES' as const),
    ...{ attempt: 1, finishedAt: bulk.createdAt },
  };
  tables.set(bulk.id, {
    ...{ bulk, status: 'QUEUED', attempt: 0, collected: bulk.scope === 'ids', collectedTo: null },
    ...{ finishedAt: null, work: new Map(), deleted, failed, unseen, order: pending.length + failed.length },
    pending: new Map(pending.map((id, i) => [id, i + 1])),
    touchAt: bulk.createdAt + FIRST_TOUCH_MS,
    ...(isSettled(bulk, opening) && over),
  });
}

/** Bulk deletions with the semantics of their script. */
export class SimBulkDeletionStore extends BulkDeletionStore {
  constructor(
    private readonly tables: Table<SimBulk>,
    private readonly recordings: RecordingTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  create(bulk: BulkDeletion, opening: Opening): Promise<boolean> {
    return this.command(`create bulk deletion of ${opening.pending.length}`, () => {
      void this.recordings.epoch;
      create(this.tables, bulk, opening);
      return true;
    });
  }

  creation(bulk: BulkDeletion, opening: Opening): AtomicWrite[] {
    return [toAtomicWrite(() => create(this.tables, bulk, opening))];
  }

  get(id: BulkDeletionId): Promise<BulkDeletionSeen | null> {
    return this.command('bulk deletion', () => {
      const kept = this.tables.get(id);
      return kept === undefined ? null : seen(kept);
    });
  }

  due(id: BulkDeletionId, now: number, limit: number) {
    return this.command('due of a bulk deletion', () => {
      const kept = this.tables.get(id);
      const all = [...(kept?.pending ?? [])].sort(([, a], [, b]) => a - b);
      const due = all.filter(([, at]) => at <= now).slice(0, limit);
      const entries = due.map(([recordingId]) => ({
        recordingId,
        work: kept?.work.get(recordingId) ?? NEW_WORK,
      }));
      return { entries, nextAt: all[0]?.[1] ?? null };
    });
  }

  advance(id: BulkDeletionId, step: Step): Promise<number> {
    const said = Object.keys(step).join(' ');
    return this.command(`advance a bulk deletion: ${said}`, () => {
      const kept = this.tables.get(id);
      if (kept === undefined || kept.finishedAt !== null) return 0;
      const [next, fresh] = after(kept, step);
      this.tables.set(id, { ...next, touchAt: this.of.clock.now() + STEP_LIMIT_MS });
      return fresh;
    });
  }

  finish({ id }: BulkDeletion): Promise<void> {
    return this.command('finish a bulk deletion', () => {
      const kept = this.tables.get(id);
      if (kept === undefined || kept.finishedAt !== null || kept.pending.size > 0) return;
      const status = kept.failed.length + kept.unseen.length === 0 ? 'COMPLETED' : 'COMPLETED_WITH_FAILURES';
      this.tables.set(id, { ...kept, status, finishedAt: this.of.clock.now() });
    });
  }

  deletedIds(id: BulkDeletionId, first: number, offset: number): Promise<string[]> {
    return this.command('deleted ids', () =>
      (this.tables.get(id)?.deleted ?? []).slice(offset, offset + first),
    );
  }

  failures(id: BulkDeletionId, first: number, offset: number): Promise<BulkDeletionFailure[]> {
    return this.command('failures', () => {
      const kept = this.tables.get(id);
      return kept === undefined ? [] : failuresOf(kept).slice(offset, offset + first);
    });
  }

  abandoned(limit: number): Promise<BulkDeletionId[]> {
    const now = this.of.clock.now();
    return this.command('abandoned bulk deletions', () => {
      const open = [...this.tables.values()].filter((one) => one.finishedAt === null && one.touchAt <= now);
      const some = open.slice(0, limit);
      for (const one of some) this.tables.set(one.bulk.id, { ...one, touchAt: now + STEP_LIMIT_MS });
      return some.map(({ bulk }) => bulk.id);
    });
  }

  expectTouchAt(id: BulkDeletionId, at: number): Promise<void> {
    return this.command('expect a touch', () => {
      const kept = this.tables.get(id);
      if (kept?.finishedAt === null) this.tables.set(id, { ...kept, touchAt: at + STEP_LIMIT_MS });
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.recordings.redis.command(op));
  }
}

/** As they are told. */
export function failuresOf({ failed, unseen }: SimBulk): BulkDeletionFailure[] {
  return [
    ...failed,
    ...unseen.map((recordingId) => ({ recordingId, ...notFound(recordingId), attempts: 1 })),
  ];
}

function seen({
  bulk,
  pending,
  deleted,
  failed,
  unseen,
  work: _work,
  touchAt: _touch,
  order: _order,
  ...rest
}: SimBulk): BulkDeletionSeen {
  const failedCount = failed.length + unseen.length;
  const known = pending.size + deleted.length + failedCount;
  return {
    ...bulk,
    ...rest,
    total: rest.collected ? known : Math.max(known, bulk.expected),
    deletedCount: deleted.length,
    failedCount,
  };
}

/** The next state, and how many were new among what was found. */
function after(kept: SimBulk, step: Step): [SimBulk, number] {
  const [pending, work] = [new Map(kept.pending), new Map(kept.work)];
  const [deleted, failed] = [[...kept.deleted], [...kept.failed]];
  let { order } = kept;
  for (const one of step.claimed ?? []) if (pending.has(one.recordingId)) work.set(one.recordingId, one.work);
  for (const one of step.later ?? []) {
    if (!pending.has(one.recordingId)) continue;
    work.set(one.recordingId, one.work);
    pending.set(one.recordingId, Math.round(one.dueAt));
  }
  for (const id of step.forgotten ?? []) {
    if (pending.delete(id)) work.delete(id);
  }
  for (const id of step.deleted ?? []) {
    if (!pending.delete(id)) continue;
    deleted.push(id);
    work.delete(id);
  }
  for (const { unlessClaimed, ...failure } of step.failed ?? []) {
    const claimed = unlessClaimed && work.get(failure.recordingId)?.claim !== undefined;
    if (claimed || !pending.delete(failure.recordingId)) continue;
    failed.push(failure);
    order += 1;
  }
  const known = new Set(failed.map(({ recordingId }) => recordingId));
  const fresh = (step.found ?? []).filter((id) => !known.has(id) && !pending.has(id));
  for (const id of fresh) pending.set(id, (order += 1));
  const attempt = Math.max(kept.attempt, step.attempt ?? 0);
  const status = step.attempt === undefined ? kept.status : 'RUNNING';
  const collectedTo = typeof step.collectedTo === 'string' ? step.collectedTo : kept.collectedTo;
  const collected = kept.collected || step.collectedTo === null;
  return [
    { ...kept, pending, work, deleted, failed, attempt, status, collectedTo, collected, order },
    fresh.length,
  ];
}
