import { performance } from 'node:perf_hooks';

export interface Load {
  /** How long each took, ms. */
  readonly samples: readonly number[];
  readonly seconds: number;
}

/** Does it `count` times, `atOnce` at a time; `task` gets its number. What fails ends it. */
export async function times(
  count: number,
  atOnce: number,
  task: (i: number) => Promise<unknown>,
): Promise<Load> {
  const samples: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const i = next;
      next += 1;
      const since = performance.now();
      await task(i);
      samples.push(performance.now() - since);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return { samples, seconds: (performance.now() - begun) / 1_000 };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
