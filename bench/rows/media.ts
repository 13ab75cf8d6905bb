import { performance } from 'node:perf_hooks';
import { Pool } from 'undici';
import { mediaKey } from '../../src/storage/object-keys.js';
import { plantRecordings } from '../../test/support/planted-recordings.js';
import type { Bench, Figures } from '../support/figures.js';
import { percentiles, rounded } from '../support/figures.js';
import { times } from '../support/load.js';
import { Target } from '../support/target.js';

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(MIB, 7);

export const media: Bench = {
  name: 'media',
  measures: 'media of 64 MiB through the product, and from the store itself, by 1 and by 32 clients',
  run: async ({ quick }) => {
    const sizeMiB = quick ? 4 : 64;
    const target = await Target.start();
    try {
      const [recording] = await plantRecordings(target.redis.url, 1, () => undefined);
      const key = `recs/${mediaKey(recording!)}`;
      target.s3.plant(key, { sizeBytes: sizeMiB * MIB, read: made }, 'video/mp4');
      const store = new Pool(target.s3.endpoint, { connections: 64 });
      const figures: Figures[] = [];
      for (const clients of [1, 32]) {
        const count = quick ? clients : Math.max(20, 3 * clients);
        // A signature needs its date, which is all that the imitation looks at.
        const signed = { 'x-amz-date': new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '') };
        const address = `/${target.s3.bucket}/${key}`;
        const direct = await download(store, address, signed, { count, clients, sizeMiB });
        const cpuBefore = target.usage().cpuMs;
        const path = `/recordings/${recording!.id}/media`;
        const headers = { authorization: target.authorization };
        const through = await download(target.pool, path, headers, { count, clients, sizeMiB });
        const usage = target.usage();
        figures.push({
          what: `media of ${sizeMiB} MiB, ${clients} client${clients > 1 ? 's' : ''}`,
          conditions: { count, clients, sizeMiB },
          latencyMs: percentiles(through.samples),
          cpuMsEach: rounded((usage.cpuMs - cpuBefore) / count),
          peakRssMiB: rounded(usage.peakRssMiB, 0),
          counts: {
            mibPerSecond: rounded(through.mibPerSecond, 0),
            storeMibPerSecond: rounded(direct.mibPerSecond, 0),
            shareOfStore: rounded(through.mibPerSecond / direct.mibPerSecond),
          },
        });
      }
      await store.destroy();
      return figures;
    } finally {
      await target.close();
    }
  },
};

interface Downloads {
  readonly count: number;
  readonly clients: number;
  readonly sizeMiB: number;
}

async function download(
  pool: Pool,
  path: string,
  headers: Record<string, string>,
  { count, clients, sizeMiB }: Downloads,
): Promise<{ samples: readonly number[]; mibPerSecond: number }> {
  const one = async (): Promise<void> => {
    const { statusCode, body } = await pool.request({ path, method: 'GET', headers });
    if (statusCode !== 200) throw new Error(`${path} was answered ${statusCode}`);
    let bytes = 0;
    for await (const chunk of body) bytes += (chunk as Buffer).length;
    if (bytes !== sizeMiB * MIB) throw new Error(`${bytes} bytes came of ${path}`);
  };
  await times(clients, clients, one);
  const begun = performance.now();
  const { samples } = await times(count, clients, one);
  return { samples, mibPerSecond: (count * sizeMiB) / ((performance.now() - begun) / 1_000) };
}

function* made(first: number, last: number): Iterable<Buffer> {
  for (let left = last - first + 1; left > 0; left -= CHUNK.length) {
    yield left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
  }
}
