import { InProcessLiveKit } from '../../src/livekit/simulator/in-process.js';
import type { Bench } from '../support/figures.js';
import { times } from '../support/load.js';
import { measure } from '../support/measure.js';
import { openRooms, startIn } from '../support/rooms.js';
import { Target } from '../support/target.js';

const OTHERS_PER_LIVE = 1.5;
const SWEEP = 'mutation { runSweep(name: LIVEKIT_RECONCILIATION) { examined acted failed } }';

interface Run {
  readonly runSweep: { readonly examined: number; readonly acted: number; readonly failed: number };
}

export const sweep: Bench = {
  name: 'sweep',
  measures:
    'a pass over all that LiveKit lists (--size recordings in progress, else 10,000, and half as many again ended, of others)',
  run: async ({ quick, size }) => {
    const live = size ?? (quick ? 20 : 10_000);
    const target = await Target.start({ env: { SWEEP_LIVEKIT_RECONCILIATION_EVERY: '1h' } });
    try {
      const rooms = await openRooms(target, live);
      await times(live, 32, (i) => startIn(target, rooms[i]!));
      const others = Math.round(live * OTHERS_PER_LIVE);
      await endedOfOthers(target, others);
      return [
        await measure(target, {
          what: 'a pass of the reconciliation with LiveKit',
          conditions: { live, endedOfOthers: others },
          count: quick ? 1 : 5,
          atOnce: 1,
          task: async () => {
            const { runSweep } = await target.graphql<Run>(SWEEP);
            if (runSweep.examined < live || runSweep.acted + runSweep.failed > 0)
              throw new Error(`the pass came to ${JSON.stringify(runSweep)}`);
          },
        }),
      ];
    } finally {
      await target.close();
    }
  },
};

/** Egresses that another product made and that are over, as LiveKit lists them for a day. */
async function endedOfOthers({ livekit }: Target, count: number): Promise<void> {
  const others = new InProcessLiveKit(livekit);
  livekit.openRoom('elsewhere');
  await times(count, 32, async (i) => {
    const outcome = await others.startEgress({
      ...{ roomName: 'elsewhere', layout: 'grid', preset: 'H264_720P_30', audioOnly: true, segments: null },
      output: { kind: 'file', filepath: `/elsewhere/${i}.ogg` },
    });
    if (outcome.kind !== 'accepted') throw new Error(`an egress of others was ${outcome.kind}`);
    livekit.endEgress(outcome.egress.egressId, 'source-closed');
  });
}
