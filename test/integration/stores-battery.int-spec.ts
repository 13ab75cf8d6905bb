import fc from 'fast-check';
import { LEFT_TO_THE_JOB, type Opening, type Work } from '../../src/bulk-deletions/domain/bulk-deletion.js';
import { BulkDeletionStore, type Step } from '../../src/bulk-deletions/store/bulk-deletion.store.js';
import { RedisBulkDeletionStore } from '../../src/bulk-deletions/store/redis-bulk-deletion.store.js';
import { newBulkDeletionId, newToken } from '../../src/kernel/ids.js';
import { type Lease } from '../../src/locks/lease.js';
import { Leases, RedisLeases } from '../../src/locks/leases.js';
import type { MediaProgress } from '../../src/recordings/domain/evidence.js';
import { RecorderLog } from '../../src/recordings/recorders/recorder-log.port.js';
import { RedisRecorderLog } from '../../src/recordings/recorders/redis-recorder-log.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { Incarnation } from '../chaos/world/incarnation.js';
import { SimBulkDeletionStore } from '../chaos/world/sim-bulk-deletions.js';
import { SimClock } from '../chaos/world/sim-clock.js';
import { SimLeases } from '../chaos/world/sim-leases.js';
import { SimRecorderLog } from '../chaos/world/sim-recorder-log.js';
import { RecordingTables } from '../chaos/world/sim-recording-store.js';
import { SimRedis } from '../chaos/world/sim-redis.js';
import { Trace } from '../chaos/world/trace.js';
import { BATTERY_RUNS, CalmDice } from '../support/battery.js';
import { aRoomId, T0 } from '../support/builders.js';
import { ownRedis } from '../support/own-redis.js';

/** One store on both sides; each question is put to both, and they have to answer alike. */
interface Pair<S> {
  readonly real: S;
  readonly sim: S;
  readonly clock: SimClock;
}

async function alike<S, T>(
  { real, sim }: Pair<S>,
  question: (store: S) => Promise<T>,
  shown: (answer: T) => unknown = (answer) => answer,
): Promise<[T, T]> {
  const [one, other] = [await question(real), await question(sim)];
  expect(shown(other)).toEqual(shown(one));
  return [one, other];
}

describe('a store of the simulation answers what Redis does, whatever happens to it:', () => {
  const own = ownRedis();
  let clock: SimClock;
  let simRedis: SimRedis;
  let life: Incarnation;

  const empty = async (): Promise<void> => {
    await own.connections.command.flushall();
    await new DataEpoch(own.connections).set();
    clock = new SimClock(T0);
    const dice = new CalmDice(1);
    const trace = new Trace(clock, 100, false);
    simRedis = new SimRedis(clock, dice, trace);
    life = new Incarnation('one', { clock, dice, trace }, 0);
  };
  const holds = <T>(steps: fc.Arbitrary<T[]>, run: (steps: readonly T[]) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(steps, async (some) => {
        await empty();
        await run(some);
      }),
      { numRuns: BATTERY_RUNS },
    );

  it('what is known of workers and recorders', async () => {
    const ids = ['EG_1', 'EG_2', 'EG_3'] as const;
    const step = fc.record({
      op: fc.constantFrom('heard', 'silent', 'silent', 'seen', 'left', 'nudge', 'progress', 'dead', 'forget'),
      id: fc.constantFrom(...ids),
      // In any order: webhooks overtake each other, and so do those who write down what they heard.
      at: fc.integer({ min: 0, max: 20 }).map((n) => T0 + n * 1_000),
    });
    await holds(fc.array(step, { maxLength: 30 }), async (steps) => {
      const table = <V>() => simRedis.table<V>();
      const tables = {
        ...{ heard: table<number>(), silent: table<readonly number[]>(), dead: table<number>() },
        ...{ seen: table<number>(), left: table<number>(), nudged: table<number>() },
        progress: table<MediaProgress>(),
      };
      const pair: Pair<RecorderLog> = {
        real: new RedisRecorderLog(own.connections),
        sim: new SimRecorderLog(simRedis, tables, life),
        clock,
      };
      for (const { op, id, at } of steps)
        await alike(pair, (log) => {
          if (op === 'seen' || op === 'left') return log.setPresence(id, op, at);
          const progress = { newest: at - T0, grewAt: at, lookedAt: at, stillAt: [at] };
          if (op === 'progress') return log.setProgress(id, progress);
          if (op === 'dead') return log.markDead(id, at);
          return op === 'forget' ? log.forget(id) : log[op](id, at);
        });
      for (const id of ids) {
        await alike(pair, (log) => log.state(id));
        await alike(pair, (log) => log.isDead(id));
        await alike(pair, (log) => log.progress(id));
        for (const at of [T0, T0 + 10_000]) await alike(pair, (log) => log.anotherHeardSince(id, at));
      }
    });
  });

  it('leases', async () => {
    const step = fc.record({
      op: fc.constantFrom('acquire', 'acquire', 'renew', 'release', 'list'),
      name: fc.constantFrom('a', 'b'),
      which: fc.nat(5),
    });
    await holds(fc.array(step, { maxLength: 20 }), async (steps) => {
      const pair: Pair<Leases> = {
        real: new RedisLeases(own.connections),
        sim: new SimLeases(simRedis, simRedis.table<Lease>(), life),
        clock,
      };
      const made: [Lease, Lease][] = [];
      // Their clocks and tokens are their own; who holds what is not.
      const shown = (lease: Lease | null): unknown =>
        lease && { name: lease.name, owner: lease.owner, lastsMs: lease.untilMs > lease.sinceMs };
      const each = async <T>(
        question: (store: Leases, of: 0 | 1) => Promise<T>,
        view: (answer: T) => unknown,
      ) => {
        const answers = [await question(pair.real, 0), await question(pair.sim, 1)] as const;
        expect(view(answers[1])).toEqual(view(answers[0]));
        return answers;
      };
      for (const { op, name, which } of steps) {
        const held = made[which % Math.max(made.length, 1)];
        if (op === 'acquire') {
          const request = { owner: `o${which}`, ttlMs: 600_000 };
          const [one, other] = await each((store) => store.acquire(name, request), shown);
          if (one !== null && other !== null) made.push([one, other]);
        } else if (op === 'list') {
          const names = (all: readonly Lease[]): unknown => all.map(({ name: of }) => of).sort();
          await each((store) => store.list(), names);
        } else if (held !== undefined) {
          if (op === 'renew') await each((store, of) => store.renew(held[of], 700_000), shown);
          else
            await each(
              (store, of) => store.release(held[of]),
              (released) => released,
            );
        }
      }
    });
  });

  it('bulk deletions', async () => {
    const names = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;
    const some = fc.subarray([...names]);
    const work: fc.Arbitrary<Work> = fc
      .record({
        attempts: fc.nat(4),
        ...{ claim: fc.constantFrom({ roomId: aRoomId() }, undefined) },
      })
      .map(({ attempts, claim }) => (claim === undefined ? { attempts } : { attempts, claim }));
    const entries = fc.array(fc.record({ recordingId: fc.constantFrom(...names), work }), { maxLength: 3 });
    const failed = fc.array(
      fc.record({
        ...{ recordingId: fc.constantFrom(...names), attempts: fc.nat(3), unlessClaimed: fc.boolean() },
        ...{ code: fc.constant('STORAGE_UNAVAILABLE' as const), message: fc.constant('no') },
      }),
      { maxLength: 2 },
    );
    const advance = fc.record(
      {
        ...{ attempt: fc.nat(5), found: some, collectedTo: fc.constantFrom('r2', null), claimed: entries },
        ...{ deleted: some, failed, forgotten: some },
        later: fc.array(
          fc.record({
            recordingId: fc.constantFrom(...names),
            work,
            dueAt: fc.nat(9_000).map((ms) => T0 + ms),
          }),
          { maxLength: 2 },
        ),
      },
      { requiredKeys: [] },
    );
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant('advance' as const), step: advance }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constantFrom('finish', 'abandoned', 'expect', 'due', 'wait') }),
      },
    );
    const history = fc.record({
      ...{
        scope: fc.constantFrom('ids' as const, 'room' as const),
        pending: some,
        unseen: fc.constantFrom([], ['x']),
      },
      ...{ dryRun: fc.boolean(), steps: fc.array(step, { maxLength: 12 }) },
    });
    await holds(
      history.map((one) => [one]),
      async ([one]) => {
        const { scope, pending, unseen, dryRun, steps } = one!;
        const tables = new RecordingTables(simRedis, simRedis.table());
        tables.meta.set('epoch', 'one');
        const pair: Pair<BulkDeletionStore> = {
          real: new RedisBulkDeletionStore(own.connections, clock),
          sim: new SimBulkDeletionStore(simRedis.table(), tables, life),
          clock,
        };
        const id = newBulkDeletionId(T0);
        const bulk = {
          ...{ id, scope, dryRun, requestedBy: { name: 'n', callerId: newToken() }, visibleRooms: null },
          ...{ roomId: scope === 'room' ? aRoomId() : null, createdAt: T0, expected: 3 },
        };
        const opening: Opening = { ...LEFT_TO_THE_JOB, ...(scope === 'ids' && { pending, unseen }) };
        await alike(pair, (store) => store.create(bulk, opening));
        for (const made of steps) {
          if ('step' in made) await alike(pair, (store) => store.advance(id, made.step as Step));
          else if (made.op === 'finish') await alike(pair, (store) => store.finish(bulk));
          else if (made.op === 'abandoned') await alike(pair, (store) => store.abandoned(5));
          else if (made.op === 'expect')
            await alike(pair, (store) => store.expectTouchAt(id, clock.now() + 1_000));
          else if (made.op === 'due') await alike(pair, (store) => store.due(id, clock.now() + 5_000, 3));
          else await clock.runUntil(clock.now() + 15_000, () => undefined);
          await alike(pair, (store) => store.get(id));
        }
        await alike(pair, (store) => store.due(id, T0 + 1e9, 10));
        await alike(pair, (store) => store.deletedIds(id, 10, 0));
        await alike(pair, (store) => store.failures(id, 10, 0));
        await alike(pair, (store) => store.failures(id, 1, 1));
      },
    );
  });
});
