import { CASES } from './plan/cases.js';
import { runSeed } from './run-seed.js';

describe('single histories', () => {
  it.each([...CASES.keys()])('%s: everything holds', async (name) => {
    const { violated, trace } = await runSeed(1, { plan: CASES.get(name)! });
    expect(violated === null ? null : { ...violated, trace }).toBeNull();
  });
});
