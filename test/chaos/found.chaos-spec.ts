import { aPlan } from './plan/cases.js';
import type { Action } from './plan/plan.js';
import { runSeed } from './run-seed.js';

async function violationOf(actions: readonly Action[]): Promise<string | null> {
  const { violated } = await runSeed(1, { plan: aPlan(actions, { healAt: 80_000, goOnMs: 20_000 }) });
  return violated === null ? null : `${violated.invariant}: ${violated.what}`;
}

describe('what the simulation once found', () => {
  it('a recording that is stopped just as the message bus comes back is not taken for lost', async () => {
    for (let forMs = 30_000; forMs < 50_000; forMs += 500) {
      const back = 10_000 + forMs;
      const violation = await violationOf([
        { at: 10_000, do: 'silence-bus', forMs },
        { at: back + 50, do: 'stop', room: 'room-1', times: 1 },
      ]);
      expect(violation).toBeNull();
    }
  });

  it('a record whose first version had passed before it could be written keeps its room all the same', async () => {
    const violation = await violationOf([{ at: 2_900, do: 'storage', what: 'away', forMs: 8_000 }]);
    expect(violation).toBeNull();
  });
});
