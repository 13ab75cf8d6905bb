import { SystemClock } from '../../src/kernel/clock.js';
import { eventually } from '../support/eventually.js';
import { createRoom, START, startIn, STOP } from '../support/operations.js';
import { FINAL, roomIsFreeIn } from '../support/recording-life.js';
import { seededRandom } from '../support/seeded-random.js';
import { unsettled } from './invariants/settled.js';
import { readRows } from './world/rows.js';
import { startWorld, type World } from './world/world.js';

const KILLS = Number(process.env.PROCESSES_KILLS ?? 10);
const STARTS_PER_KILL = 4;
const SEED = Number(process.env.PROCESSES_SEED ?? 1);
/** A start that is not held up takes about so long; the last one is sent as the kill comes. */
const KILL_AFTER_MS = 200;
/** Deadline and request limit are over, a dead process' jobs are taken over, what is unsure is looked at often enough. */
const BOUND_MS = 60_000;

describe('a process that is killed in the middle of a start', () => {
  const clock = new SystemClock();
  const random = seededRandom(SEED);
  let world: World;

  beforeAll(async () => {
    world = await startWorld();
  }, 120_000);
  afterAll(() => world?.close(), 60_000);

  /** Starts in several rooms of one instance, which is killed at a moment of its own for each of them. */
  const killDuringStarts = async (number: number): Promise<string[]> => {
    const instance = world.instances[number % world.instances.length]!;
    await instance.untilReady();
    const rooms = Array.from({ length: STARTS_PER_KILL }, (_, i) => `room-${number}-${i}`);
    for (const room of rooms) {
      await createRoom(instance, room);
      world.livekit.openRoom(room);
    }
    // Some of them LiveKit takes or answers late, so that kills find each step of a start under way.
    for (const room of rooms) {
      const chance = random();
      if (chance < 0.5) {
        const name = chance < 0.25 ? 'start-slow' : 'start-answer-late';
        world.livekit.setFault({ name, room, delayMs: 100 + random() * 900, times: 1 });
      }
    }
    const answers = rooms.map(async (room) => {
      await clock.sleep(KILL_AFTER_MS * random());
      // Killed before it can answer: what became of the start is seen in the world alone.
      await instance.graphql(START, { input: { roomId: room } }).catch(() => undefined);
    });
    await clock.sleep(KILL_AFTER_MS);
    await instance.kill();
    await Promise.all(answers);
    instance.launch();
    return rooms;
  };

  it(`leaves one clear row or none, no egress that nobody owns, and a room that can be recorded again (seed ${SEED})`, async () => {
    const rooms: string[] = [];
    for (let i = 0; i < KILLS; i++) rooms.push(...(await killDuringStarts(i)));
    await Promise.all(world.instances.map((instance) => instance.untilReady()));
    await eventually(
      async () => {
        const faults = await unsettled(world);
        return faults.length === 0 || faults.join('\n');
      },
      { withinMs: BOUND_MS, everyMs: 250 },
    );
    const rows = await readRows(world.instance(0));
    const outcomes = rooms.map((room) => {
      const ofRoom = rows.filter(({ roomId }) => roomId === room);
      expect(ofRoom.length).toBeLessThanOrEqual(1);
      expect(world.livekit.egresses(room).length).toBeLessThanOrEqual(1);
      const [row] = ofRoom;
      return row ? `${row.status} ${row.endReason ?? ''}`.trim() : 'never stored';
    });
    process.stdout.write(`killed starts: ${JSON.stringify(counted(outcomes))}\n`);
    for (const { id, status } of rows) {
      if (!FINAL.includes(status)) await world.instance(random()).graphql(STOP, { id });
    }
    for (const [i, room] of rooms.entries()) {
      await roomIsFreeIn(world.redisClient, room, BOUND_MS);
      expect((await startIn(world.instances[i % 3]!, room)).code).toBeNull();
    }
    expect(
      world.instances.flatMap((instance) => [...instance.ownEnds, ...instance.unexpectedLines()]),
    ).toEqual([]);
  }, 600_000);
});

function counted(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...new Set(words)].map((word) => [word, words.filter((each) => each === word).length]),
  );
}
