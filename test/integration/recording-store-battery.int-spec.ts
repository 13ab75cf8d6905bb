import fc from 'fast-check';
import type { RecordingId } from '../../src/kernel/ids.js';
import type { Fact } from '../../src/recordings/domain/facts.js';
import {
  type Labels,
  RECORDING_STATUSES,
  type StoredRecording,
} from '../../src/recordings/domain/recording.js';
import { decide } from '../../src/recordings/domain/recording.machine.js';
import { MissingRowsQueue } from '../../src/recordings/store/missing-rows-queue.js';
import type { LogPosition } from '../../src/recordings/store/log-position.js';
import type { RecordingQuery } from '../../src/recordings/store/recording-query.js';
import type { RecordingRestorer } from '../../src/recordings/store/recording-restorer.port.js';
import type { Commit, RecordingStore } from '../../src/recordings/store/recording.store.js';
import { RedisRecordingPages } from '../../src/recordings/store/redis-recording-pages.js';
import { RedisRecordingRestorer } from '../../src/recordings/store/redis-recording-restorer.js';
import { RedisRecordingStore } from '../../src/recordings/store/redis-recording.store.js';
import { RedisRoomSlots } from '../../src/recordings/store/redis-room-slots.js';
import { type HeldSlot, RoomSlots } from '../../src/recordings/store/room-slots.port.js';
import { restoreStep } from '../../src/recordings/store/restore-step.js';
import { keys } from '../../src/redis/keys.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { DataEpoch } from '../../src/redis/data-epoch.js';
import { newRoom } from '../../src/rooms/domain/room.js';
import { Incarnation } from '../chaos/world/incarnation.js';
import { SimClock } from '../chaos/world/sim-clock.js';
import { RecordingTables, SimRecordingStore } from '../chaos/world/sim-recording-store.js';
import { SimRecordingRestorer } from '../chaos/world/sim-recording-restorer.js';
import { SimRoomSlots } from '../chaos/world/sim-room-slots.js';
import { SimRedis } from '../chaos/world/sim-redis.js';
import { Trace } from '../chaos/world/trace.js';
import { aRecording, aRecordingId, aRoomId, anEgress, T0 } from '../support/builders.js';
import { BATTERY_RUNS, CalmDice } from '../support/battery.js';
import { ownRedis } from '../support/own-redis.js';

const ROOMS = ['r1', 'r2', 'r3'].map((name) => aRoomId(name));
const STEPS = fc.array(
  fc.record({
    op: fc.constantFrom(
      ...(['create', 'create', 'tell', 'tell', 'tell', 'tell', 'again', 'stale', 'restore', 'ack'] as const),
      ...(['free', 'take', 'lose-slot', 'forget-deleted'] as const),
    ),
    which: fc.nat(7),
    fact: fc.nat(12),
    key: fc.constantFrom(null, 'k1', 'k2'),
    inRoom: fc.boolean(),
  }),
  { minLength: 5, maxLength: 40 },
);
type Step = (typeof STEPS extends fc.Arbitrary<infer T> ? T : never)[number];

interface Side {
  readonly store: RecordingStore;
  readonly restorer: RecordingRestorer;
  readonly slots: RoomSlots;
}

describe('the recording store of the simulation', () => {
  const own = ownRedis();

  it('answers and keeps what the scripts in Redis do, whatever is committed, sent again, deleted and restored', async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        const both = await aPair(own.connections);
        for (const [i, step] of steps.entries()) await both.perform(step, i);
        await both.compare();
      }),
      { numRuns: BATTERY_RUNS },
    );
  }, 600_000);
});

async function aPair(connections: RedisConnections) {
  const redis = connections.command;
  await redis.flushall();
  await new DataEpoch(connections).set();
  const epoch = (await redis.get(keys.epoch())) ?? '';
  const clock = new SimClock(T0);
  const dice = new CalmDice(1);
  const trace = new Trace(clock, 100, false);
  const simRedis = new SimRedis(clock, dice, trace);
  const rooms = simRedis.table<ReturnType<typeof newRoom> & { rev: string }>();
  const tables = new RecordingTables(simRedis, rooms);
  tables.meta.set('epoch', epoch);
  for (const room of ROOMS.slice(0, 2)) {
    rooms.set(room, { ...newRoom(room, { name: room }, T0), rev: '1' });
    await redis.set(keys.room(room), '{}');
  }
  const of = new Incarnation('one', { clock, dice, trace }, 0);
  const missing = new MissingRowsQueue(clock);
  const real: Side = {
    store: new RedisRecordingStore(connections, new RedisRecordingPages(connections, missing), clock),
    restorer: new RedisRecordingRestorer(connections, clock),
    slots: new RedisRoomSlots(connections, clock),
  };
  const around = { isRebuiltBy: () => false, cameBack: () => undefined };
  const sim: Side = {
    store: new SimRecordingStore(tables, of),
    restorer: new SimRecordingRestorer(tables, around, of),
    slots: new SimRoomSlots(tables, of),
  };
  const made: RecordingId[] = [];
  const copies: StoredRecording[] = [];
  const commits: Commit[] = [];

  /** Event ids differ; their order is the same. */
  const ordinals = async (): Promise<(position: LogPosition | null) => unknown> => {
    const inRedis = (await redis.xrange(keys.events(), '-', '+')).map(([id]) => id);
    const inSim = tables.events.keys();
    return (position) => {
      if (position === null) return null;
      const [real, simulated] = [inRedis.indexOf(position.id), inSim.indexOf(position.id)];
      return { epoch: position.epoch, at: Math.max(real, simulated), given: real + simulated >= -1 };
    };
  };
  const alike = async <T>(
    question: (side: Side) => Promise<T>,
    shown: (answer: T) => unknown,
  ): Promise<T> => {
    const [one, other] = [await question(real), await question(sim)];
    expect(shown(other)).toEqual(shown(one));
    return one;
  };
  const plain = (answer: unknown): unknown => answer;
  const commit = async (step: Commit): Promise<void> => {
    commits.push(step);
    const place = await (async () => {
      const one = await real.store.commit(step);
      const other = await sim.store.commit(step);
      return { one, other, of: await ordinals() };
    })();
    const shown = ({ one, of: at }: { one: typeof place.one; of: typeof place.of }): unknown =>
      one.kind === 'done' ? { kind: one.kind, position: at(one.position) } : one;
    expect(shown({ one: place.other, of: place.of })).toEqual(shown({ one: place.one, of: place.of }));
  };

  const perform = async ({ op, which, fact, key, inRoom }: Step, i: number): Promise<void> => {
    await clock.runUntil(clock.now() + 700, () => undefined);
    const at = clock.now();
    const token = `token-${i}`;
    const id = made[which % Math.max(made.length, 1)];
    if (op === 'create' || id === undefined) {
      const roomId = ROOMS[which % ROOMS.length]!;
      const labels: Labels = fact % 2 === 0 ? { team: 'a', n: fact } : {};
      const next = aRecording({ id: aRecordingId(), roomId, requestedAt: at, updatedAt: at, labels });
      const use = key === null ? {} : { idempotency: { caller: 'c', key, input: String(which % 2) } };
      const event = { type: 'REQUESTED', previousStatus: null } as const;
      const effects = [{ do: 'write-metadata' } as const];
      const stored =
        'idempotency' in use ? { ...next, upkeep: { ...next.upkeep, key: use.idempotency } } : next;
      made.push(next.id);
      return commit({ token, before: null, next: stored, event, cause: 'test', effects, at, inRoom, ...use });
    }
    if (op === 'again') return commit(commits[which % commits.length]!);
    if (op === 'ack') {
      const entries = await alike(
        ({ store }) => store.outbox(0, 50),
        (filed) => filed.map(({ entry }) => entry).sort(),
      );
      const some = entries.map(({ entry }) => entry).slice(0, which);
      await Promise.all([real.store.ack(some), sim.store.ack(some)]);
      return undefined;
    }
    if (op === 'restore') {
      const copy = copies[which % Math.max(copies.length, 1)];
      if (copy === undefined) return undefined;
      const terms = { number: i + 1, epoch, at, cause: 'test', startTimeoutMs: 20_000 };
      const back = restoreStep({ format: 1, recording: copy, history: [] }, terms);
      await alike(({ restorer }) => restorer.restore([back], null), plain);
      return undefined;
    }
    const room = ROOMS[which % ROOMS.length]!;
    if (op === 'lose-slot') {
      // A single key that is gone, with its place in the list of those that are held.
      await redis.del(keys.slot(room));
      await redis.zrem(keys.slots(), room);
      return tables.slots.delete(room);
    }
    if (op === 'free') {
      const [held] = await alike(({ slots }) => heldIn(slots, 0), plain);
      const row = held === undefined ? null : await real.store.get(held.recordingId);
      const rev = fact % 3 === 0 ? null : (row?.rev ?? 0) + (fact % 2);
      if (held !== undefined) await alike(({ slots }) => slots.free(held, rev), plain);
      return undefined;
    }
    if (op === 'take') {
      const row = await real.store.get(id);
      const rev = (row?.rev ?? 1) + (fact % 3 === 0 ? 1 : 0);
      await alike(({ slots }) => slots.take({ id, roomId: row?.roomId ?? room, rev }), plain);
      return undefined;
    }
    if (op === 'forget-deleted') {
      const before = at - 700 * fact;
      await Promise.all([real.store.forgetDeleted(before), sim.store.forgetDeleted(before)]);
      return undefined;
    }
    const before = op === 'stale' ? copies.find((copy) => copy.id === id) : await real.store.get(id);
    if (before == null) return undefined;
    copies.push(before);
    const decision = decide(before, factOf(before, fact, at));
    if (decision.kind === 'ignore') return undefined;
    const { next, event, effects } = decision;
    return commit({ token, before, next, event, effects, cause: 'test', at });
  };

  const compare = async (): Promise<void> => {
    const order = await ordinals();
    for (const id of made) {
      await alike(({ store }) => store.get(id), plain);
      await alike(({ store }) => store.wasDeleted(id), plain);
      await alike(
        ({ store }) => store.history(id),
        (entries) => entries.map((entry) => ({ ...entry, position: order(entry.position) })),
      );
    }
    for (const room of ROOMS) {
      await alike(({ store }) => store.slotHolder(room), plain);
      await alike(({ store }) => store.countInRoom(room), plain);
    }
    for (const ms of [0, 5_000]) await alike(({ slots }) => heldIn(slots, ms), plain);
    for (const key of ['k1', 'k2']) await alike(({ store }) => store.keyUse('c', key), plain);
    await alike(({ store }) => store.unsettled(null, 100), plain);
    await alike(
      ({ store }) => store.outbox(0, 1_000),
      (filed) => filed.map(({ entry }) => entry).sort(),
    );
    expect(await redis.xlen(keys.events())).toBe(tables.events.size);
    const open: RecordingQuery = {
      ...{
        rooms: null,
        statuses: RECORDING_STATUSES,
        requestedAfter: null,
        requestedBefore: null,
        labels: {},
      },
      ...{ field: 'REQUESTED_AT', direction: 'DESC', first: 5, after: null },
    };
    const queries: Partial<RecordingQuery>[] = [
      { labels: {}, field: 'REQUESTED_AT', direction: 'DESC' },
      { labels: { team: 'a' }, field: 'DURATION', direction: 'ASC' },
      { labels: {}, field: 'SIZE', direction: 'DESC', endReasons: ['START_REJECTED', 'STOP_REQUESTED'] },
      {
        labels: {},
        field: 'REQUESTED_AT',
        direction: 'ASC',
        egressId: 'EG_000000000001',
        rooms: [ROOMS[0]!],
      },
      { labels: {}, field: 'REQUESTED_AT', direction: 'DESC', search: ['eg_00', 'one'] },
      { labels: {}, field: 'DURATION', direction: 'ASC', search: ['r2'], statuses: ['FAILED', 'COMPLETE'] },
      { labels: { team: 'a' }, field: 'REQUESTED_AT', direction: 'ASC', search: ['roo', 'a'] },
      { labels: {}, field: 'REQUESTED_AT', direction: 'DESC', search: [made[0]?.toLowerCase() ?? 'rec'] },
    ];
    for (const more of queries)
      await alike(
        ({ store }) => store.page({ ...open, ...more }),
        ({ position: _position, ...page }) => page,
      );
  };
  return { perform, compare };
}

async function heldIn(slots: RoomSlots, longerThanMs: number): Promise<HeldSlot[]> {
  const all: HeldSlot[] = [];
  for await (const slot of slots.heldLongerThan(longerThanMs)) all.push(slot);
  return all;
}

function factOf(recording: StoredRecording, number: number, at: number): Fact {
  const egress = (status: 'STARTING' | 'ACTIVE' | 'ENDING' | 'COMPLETE' | 'FAILED' | 'ABORTED') =>
    ({ kind: 'egress-seen', egress: anEgress(recording, { status }), at }) as const;
  const facts: readonly Fact[] = [
    egress('STARTING'),
    egress('ACTIVE'),
    egress('ENDING'),
    egress('COMPLETE'),
    egress('FAILED'),
    { kind: 'start-accepted', egress: anEgress(recording), at },
    { kind: 'start-refused', why: 'no', credentials: false, at },
    { kind: 'start-cancelled', at },
    { kind: 'start-deadline-passed', waitedMs: 20_000, at },
    { kind: 'stop-taken', egress: null, at },
    { kind: 'deletion-requested', by: 'test', at },
    { kind: 'deleted', at },
    { kind: 'egresses-listed', egresses: [], at },
  ];
  return facts[number % facts.length]!;
}
