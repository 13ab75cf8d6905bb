import type { Bench } from '../support/figures.js';
import { rounded } from '../support/figures.js';
import { pause } from '../support/load.js';
import { idleRates } from '../support/measure.js';
import { Target } from '../support/target.js';

export const idle: Bench = {
  name: 'idle',
  measures: 'a cold start until it is ready, and what an instance needs that nobody asks anything',
  run: async ({ quick }) => {
    const boots: number[] = [];
    for (let i = 0; i < (quick ? 1 : 5); i += 1) {
      const target = await Target.start();
      boots.push(target.bootMs);
      await target.close();
    }
    const target = await Target.start();
    try {
      await pause(quick ? 1_000 : 20_000);
      const seconds = quick ? 3 : 60;
      const rates = await idleRates(target, seconds * 1_000);
      const { rssMiB, peakRssMiB } = target.usage();
      const median = boots.toSorted((a, b) => a - b)[Math.floor(boots.length / 2)]!;
      return [
        {
          what: 'cold start, and idle afterwards',
          conditions: { starts: boots.length, idleSeconds: seconds, recordings: 0 },
          peakRssMiB: rounded(peakRssMiB, 0),
          counts: {
            coldStartMs: rounded(median, 0),
            idleRssMiB: rounded(rssMiB, 0),
            idleRedisCommandsPerSecond: rounded(rates.redisCommands, 1),
            idleLivekitCallsPerSecond: rounded(rates.livekitCalls, 2),
            idleS3RequestsPerSecond: rounded(rates.s3Requests, 2),
            idleCpuMsPerSecond: rounded(rates.cpuMs, 1),
          },
        },
      ];
    } finally {
      await target.close();
    }
  },
};
