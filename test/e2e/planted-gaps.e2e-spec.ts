import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CPU_USED, type Recorder } from '../../src/livekit/simulator/recorder.js';
import { REAL_TIMINGS } from '../../src/livekit/simulator/timings.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { probeMp4 } from '../support/made-segments.js';
import { readRecording, type RecordingSeen, STOP } from '../support/operations.js';
import { openRoom, started } from '../support/recording-life.js';
import { seededRandom } from '../support/seeded-random.js';

const GAPS = Number(process.env.GAPS ?? 12);
const SEED = Number(process.env.GAP_SEED ?? 1);
/** More than three recordings in a row that were short make us pause before the next. */
const ROOMS = Math.ceil(GAPS / 3);

/** Every way in which a recorder ends before its meeting does, and what the gap after it is told as. */
const PLANTED: readonly Planted[] = [
  { cause: 'RECORDER_LOST', strike: 'worker' },
  { cause: 'RECORDER_LOST', strike: (recorder) => recorder.wedge() },
  { cause: 'RECORDER_LOST', strike: (recorder) => recorder.stopProcess() },
  { cause: 'EGRESS_FAILED', strike: (recorder) => recorder.crash() },
  { cause: 'EGRESS_FAILED', strike: (recorder) => recorder.breakDown() },
  { cause: 'EGRESS_FAILED', strike: (recorder) => recorder.killGently('CPU exhausted', CPU_USED) },
];
interface Planted {
  readonly cause: string;
  readonly strike: 'worker' | ((recorder: Recorder) => void);
}

interface Gap {
  readonly from: string;
  readonly to: string;
  readonly cause: string;
}

interface Coverage {
  readonly coveredMs: number;
  readonly gaps: readonly Gap[];
}

const COVERAGE = 'query($id: ID!) { recording(id: $id) { coverage { coveredMs gaps { from to cause } } } }';
const CONTINUED = 'query($id: ID!) { recording(id: $id) { continuedBy { id status } } }';

/** With the times of production: of the product, of segments and of LiveKit. */
describe('recorders that end in the middle of their meetings', () => {
  let stack: TestStack;
  let instance: TestInstance;

  beforeAll(async () => {
    stack = await startStack({}, REAL_TIMINGS);
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  const plant = ({ egressId }: RecordingSeen, { strike }: Planted): void => {
    const { fleet } = stack.simulator;
    // Whoever records next has a worker of its own; a process that was stopped keeps its place for ever.
    stack.simulator.addWorker(1);
    const worker = fleet.list().find(({ recorders }) => recorders.has(egressId ?? ''))!;
    if (strike === 'worker') stack.simulator.killWorker({ id: worker.id });
    else strike(fleet.recorders().find(({ info }) => info.egressId === egressId)!);
  };

  const continuationOf = async (id: string): Promise<string> => {
    let next = '';
    await eventually(
      async () => {
        const { data } = await instance.graphql<{
          recording: { continuedBy: { id: string; status: string } | null };
        }>(CONTINUED, { id });
        next = data.recording.continuedBy?.id ?? '';
        return data.recording.continuedBy?.status === 'ACTIVE' || `nothing goes on from ${id}`;
      },
      { withinMs: 120_000 },
    );
    return next;
  };

  const probedMs = async ({ mediaPath, id }: RecordingSeen): Promise<number> => {
    const media = await fetch(`${instance.url}${mediaPath}`, {
      headers: { authorization: `Bearer ${stack.env.TALLYLIGHT_ADMIN_KEY}` },
    });
    const path = join(stack.storageFolder, '.tmp', `${id}.mp4`);
    await writeFile(path, Buffer.from(await media.arrayBuffer()));
    return (await probeMp4(path)).durationS * 1_000;
  };

  const coverageOf = async (id: string): Promise<Coverage> => {
    let coverage: Coverage | null = null;
    await eventually(
      async () => {
        const { data } = await instance.graphql<{ recording: { coverage: Coverage | null } }>(COVERAGE, {
          id,
        });
        coverage = data.recording.coverage;
        return coverage !== null || `the parts before ${id} are not over`;
      },
      { withinMs: 120_000 },
    );
    return coverage!;
  };

  /** One meeting whose recorder ends in each of these ways, one after the other: how long its holes are, ms. */
  const meeting = async (
    room: string,
    planted: readonly Planted[],
    random: () => number,
  ): Promise<readonly number[]> => {
    await openRoom(stack, instance, room, { crashProof: true, audioOnly: false });
    const ids = [(await started(instance, room)).id];
    for (const one of planted) {
      await pause(3_000 + random() * 9_000);
      plant(await readRecording(instance, ids.at(-1)!), one);
      ids.push(await continuationOf(ids.at(-1)!));
    }
    await pause(3_000);
    await instance.graphql(STOP, { id: ids.at(-1) });
    const { coveredMs, gaps } = await coverageOf(ids.at(-1)!);
    const causes = ['STARTING', ...planted.flatMap(({ cause }) => [cause, 'STARTING'])];
    expect(gaps.map(({ cause }) => cause)).toEqual(causes);
    const parts = await Promise.all(ids.map((id) => readRecording(instance, id)));
    expect(coveredMs).toBe(parts.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0));
    for (const part of parts) {
      if (!part.error?.endsWith('put together from its segments')) continue;
      expect(Math.abs((await probedMs(part)) - (part.durationMs ?? 0))).toBeLessThan(1_000);
    }
    return planted.map((_, n) => Date.parse(gaps[2 * n + 2]!.to) - Date.parse(gaps[2 * n + 1]!.from));
  };

  it(`leave holes that are told, each with its cause: ${GAPS} of them, seed ${SEED}`, async () => {
    const random = seededRandom(SEED);
    const kinds = Array.from({ length: GAPS }, (_, n) => PLANTED[n % PLANTED.length]!);
    const of = Array.from({ length: ROOMS }, (_, room) => kinds.filter((__, n) => n % ROOMS === room));
    // Each has a worker of its own, and the next one too; the first worker would take them all.
    for (let n = 0; n < ROOMS; n += 1) stack.simulator.addWorker(1);
    stack.simulator.killWorker({ id: 'worker-1' });
    const holes = await Promise.all(of.map((planted, n) => meeting(`gaps-${n}`, planted, random)));
    if (process.env.GAPS === undefined) return;
    // The third of a meeting waits for a pause of ours as well.
    const shown = holes.flatMap((all) => all.slice(0, 2)).toSorted((a, b) => a - b);
    const at = (share: number): string => (shown[Math.ceil(share * shown.length) - 1]! / 1_000).toFixed(1);
    process.stdout.write(
      `from the last media to the next: p50 ${at(0.5)} s, p95 ${at(0.95)} s, most ${at(1)} s, of ${shown.length} recorders\n`,
    );
  }, 900_000);
});
