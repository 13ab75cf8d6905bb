import { runSeed, type SeedResult } from './run-seed.js';
import type { Plan } from './plan/plan.js';

const MOST_RUNS = 400;

/** The same violation with as few actions as leaving them out one by one, or half by half, comes to. */
export async function shrink(found: SeedResult): Promise<SeedResult> {
  const { seed, violated } = found;
  let best = found;
  let runs = 0;
  for (let size = Math.ceil(found.plan.actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best.plan.actions.length && runs < MOST_RUNS;) {
      const plan = without(best.plan, from, size);
      const tried = await runSeed(seed, { plan, keptLines: 150 });
      runs += 1;
      if (tried.violated?.invariant === violated?.invariant) best = tried;
      else from += size;
    }
  }
  return best;
}

function without(plan: Plan, from: number, count: number): Plan {
  return { ...plan, actions: plan.actions.filter((_, i) => i < from || i >= from + count) };
}
