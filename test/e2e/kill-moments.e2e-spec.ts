import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REAL_TIMINGS, scaledTimings } from '../../src/livekit/simulator/timings.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { probeMp4 } from '../support/made-segments.js';
import type { RecordingSeen } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { seededRandom } from '../support/seeded-random.js';

const KILLS = Number(process.env.KILLS ?? 16);
const SEED = Number(process.env.KILL_SEED ?? 1);
/** What a worker that dies may cost: the segment that was not whole, and what was on its way. */
const MOST_LOST_MS = 4_000;
// Quick, but for the segments: two seconds, as in production.
const TIMINGS = { ...scaledTimings(0.1, REAL_TIMINGS), scale: 1 };

interface Killed {
  readonly lostMs: number;
  readonly durationMs: number;
  readonly probedMs: number;
  readonly coveredMs: number;
}

describe('workers that die at any moment of crash-proof recordings', () => {
  let stack: TestStack;
  let instance: TestInstance;

  beforeAll(async () => {
    stack = await startStack(
      {
        RECORDER_CHECK_EVERY: '1s',
        RECORDER_LOST_AFTER: '3s',
        SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1s',
      },
      TIMINGS,
    );
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const start = async (n: number): Promise<RecordingSeen> => {
    const room = `killed-${n}`;
    await openRoom(stack, instance, room, { crashProof: true, audioOnly: false, restartWhenLost: false });
    return started(instance, room);
  };

  /** Its worker, which records nothing else, dies after that time. */
  const kill = async ({ id, egressId, roomId }: RecordingSeen, afterMs: number): Promise<Killed> => {
    const { simulator } = stack;
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const worker = simulator.fleet.list().find(({ recorders }) => recorders.has(egressId ?? ''));
    const killedAt = Date.now();
    simulator.killWorker({ id: worker!.id });
    const over = await becomes(instance, id, { status: 'COMPLETE', endReason: 'RECORDER_LOST' });
    const media = await fetch(`${instance.url}${over.mediaPath}`, {
      headers: { authorization: `Bearer ${stack.env.TALLYLIGHT_ADMIN_KEY}` },
    });
    const path = join(stack.storageFolder, '.tmp', `${roomId}.mp4`);
    await writeFile(path, Buffer.from(await media.arrayBuffer()));
    const { durationS } = await probeMp4(path);
    const read = await instance.graphql<{ recording: { coverage: { coveredMs: number } } }>(
      'query($id: ID!) { recording(id: $id) { coverage { coveredMs } } }',
      { id },
    );
    const durationMs = over.durationMs ?? 0;
    return {
      ...{ durationMs, probedMs: durationS * 1_000, coveredMs: read.data.recording.coverage.coveredMs },
      lostMs: killedAt - Date.parse(over.startedAt ?? '') - durationMs,
    };
  };

  it(`cost four seconds at most: ${KILLS} kills, seed ${SEED}`, async () => {
    // Each has a worker of its own; the first one would take them all.
    for (let n = 0; n < KILLS; n += 1) stack.simulator.addWorker(1);
    stack.simulator.killWorker({ id: 'worker-1' });
    const random = seededRandom(SEED);
    const moments = Array.from({ length: KILLS }, () => 4_500 + random() * 6_000);
    const recordings = await Promise.all(moments.map((_, n) => start(n)));
    // Somebody has to answer, where the others are dead.
    stack.simulator.addWorker();
    const killed = await Promise.all(recordings.map((one, n) => kill(one, moments[n]!)));
    const lost = killed.map(({ lostMs }) => lostMs).toSorted((a, b) => a - b);
    const [least, median, most] = [lost[0]!, lost[Math.floor(lost.length / 2)]!, lost.at(-1)!];
    if (process.env.KILLS)
      process.stdout.write(`lost: ${least} to ${most} ms, median ${median} ms, of ${KILLS} kills\n`);
    expect(most).toBeLessThanOrEqual(MOST_LOST_MS);
    for (const { durationMs, probedMs, coveredMs } of killed) {
      expect(Math.abs(probedMs - durationMs)).toBeLessThan(1_000);
      expect(Math.abs(probedMs - coveredMs)).toBeLessThan(1_000);
    }
  }, 180_000);
});
