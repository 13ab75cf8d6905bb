import { setMaxListeners } from 'node:events';
import { SystemClock } from '../../src/kernel/clock.js';
import { eventually } from '../support/eventually.js';
import { eventCursor } from '../support/event-watch.js';
import { seededRandom } from '../support/seeded-random.js';
import { Follower } from './invariants/follower.js';
import { OneEgressPerRoom } from './invariants/one-egress-per-room.js';
import { unsettled } from './invariants/settled.js';
import { Meeting } from './plan/meetings.js';
import { Troubles } from './plan/troubles.js';
import { readRows } from './world/rows.js';
import { startWorld, type World } from './world/world.js';

const SECONDS = Number(process.env.PROCESSES_SECONDS ?? 45);
const SEED = Number(process.env.PROCESSES_SEED ?? 1);
const ROOMS = 8;
/** How long things go wrong before it is looked whether all becomes right again. */
const ROUND_MS = Math.min(25_000, SECONDS * 500);
const LONGEST_PAUSE_MS = SECONDS > 120 ? 40_000 : 8_000;
/** By then everything is as it should be, counted from when nothing is wrong any more. */
const BOUND_MS = 60_000;

describe('three instances that are killed, paused and started again', () => {
  const clock = new SystemClock();
  const randomOf = (number: number): (() => number) => seededRandom(SEED * 1_000 + number);
  let world: World;
  let meetings: Meeting[];
  let followers: Follower[];
  let oneEgress: OneEgressPerRoom;

  beforeAll(async () => {
    world = await startWorld();
    meetings = Array.from({ length: ROOMS }, (_, i) => new Meeting(`room-${i}`, world, randomOf(i), clock));
    for (const meeting of meetings) await meeting.prepare();
    const from = await eventCursor(world.instance(0));
    followers = [100, 101].map((number) => new Follower(from, world, randomOf(number), clock));
    oneEgress = new OneEgressPerRoom(
      world,
      meetings.map(({ room }) => room),
      clock,
    );
  }, 120_000);
  afterAll(() => world?.close(), 60_000);

  const violations = (): string[] => [
    ...meetings.flatMap((meeting) => meeting.violations),
    ...followers.flatMap((follower) => follower.violations),
    ...oneEgress.violations,
    ...world.instances.flatMap((instance) => [...instance.ownEnds, ...instance.unexpectedLines()]),
  ];

  const everythingIsRight = async (): Promise<number> => {
    const since = clock.now();
    await eventually(
      async () => {
        const faults = await unsettled(world);
        return faults.length === 0 || faults.join('\n');
      },
      { withinMs: BOUND_MS, everyMs: 250 },
    );
    return clock.now() - since;
  };

  const followersCaughtUp = async (): Promise<void> => {
    const rows = await readRows(world.instance(0));
    await eventually(() => {
      const behind = rows.filter(({ id, version }) =>
        followers.some((each) => (each.versionOf(id) ?? 0) < version),
      );
      return behind.length === 0 || `${behind.length} recordings have events that a follower did not see`;
    });
  };

  const round = async (troubles: Troubles, ms: number): Promise<void> => {
    const over = AbortSignal.timeout(ms);
    setMaxListeners(0, over);
    await allEnded([troubles.run(over), ...meetings.map((meeting) => meeting.run(over))]);
    await Promise.all(world.instances.map((instance) => instance.untilReady()));
  };

  /** How long it took each time until all was right, ms. */
  const goThroughIt = async (troubles: Troubles): Promise<number[]> => {
    const until = clock.now() + SECONDS * 1_000;
    const took: number[] = [];
    do {
      await round(troubles, ROUND_MS);
      took.push(await everythingIsRight());
      expect(violations()).toEqual([]);
    } while (clock.now() < until);
    await Promise.all(meetings.map((meeting) => meeting.stopAll()));
    took.push(await everythingIsRight());
    await followersCaughtUp();
    return took;
  };

  it(
    `leave every recording right, every room free that should be and every byte accounted for (seed ${SEED}, ${SECONDS} s)`,
    async () => {
      const rooms = meetings.map(({ room }) => room);
      const troubles = new Troubles(world, rooms, randomOf(200), clock, LONGEST_PAUSE_MS);
      const watching = new AbortController();
      const watchers = allEnded([oneEgress, ...followers].map((watcher) => watcher.run(watching.signal)));
      let took: number[] = [];
      try {
        took = await goThroughIt(troubles);
      } finally {
        watching.abort();
        await watchers;
        process.stdout.write(`${JSON.stringify(figures(troubles, took))}\n`);
      }
      expect(violations()).toEqual([]);
      expect(followers[0]?.events).toBeGreaterThan(0);
    },
    (SECONDS + 180) * 2_000,
  );

  const figures = (troubles: Troubles, took: readonly number[]): object => ({
    seed: SEED,
    troubles: Object.fromEntries(troubles.tally),
    answers: meetings.reduce<Record<string, number>>((sums, { tally }) => {
      for (const [what, count] of tally) sums[what] = (sums[what] ?? 0) + count;
      return sums;
    }, {}),
    egresses: world.livekit.egresses().length,
    lostWorkersEgresses: world.killedEgresses.size,
    events: followers.map(({ events, connections }) => ({ events, connections })),
    settledAfterMs: took,
  });
});

/** Waits for all, then throws what the first of them threw: nothing goes on behind a test that has failed. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
