import { fuzz } from '../fuzz/fuzz.js';

describe('whatever a client sends', () => {
  it('is answered or refused: with no fault of ours, nothing shown, nothing held up, nothing stored for what was refused', async () => {
    const { cases, findings } = await fuzz({ seed: 20, forMs: 60_000, mostCases: 120 });
    expect(findings).toEqual([]);
    expect(cases).toBeGreaterThanOrEqual(120);
  }, 120_000);
});
