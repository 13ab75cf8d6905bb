import { progressBar } from './progress-line.js';
import { rebuildWords } from './rebuild-words.js';

const run = {
  ...{ phase: 'recordings' as const, after: '', rooms: 3, recordings: 300, faults: 0, total: 1_000 },
  ...{ problem: null, startedAt: 0 },
};

describe('how far a rebuild is', () => {
  it.each([
    [{ whole: true } as const, null],
    [
      { whole: false, run: null } as const,
      'Redis was lost and waits for a worker to rebuild it from the storage',
    ],
    [
      { whole: false, run } as const,
      '3 rooms and 300 of 1,000 recordings of what Redis held are back: rebuilding it from the storage',
    ],
    [
      { whole: false, run: { ...run, total: null, problem: 'the storage does not answer' } } as const,
      '3 rooms and 300 recordings of what Redis held are back: waiting, the storage does not answer',
    ],
  ])('%j is said in words', (state, words) => {
    expect(rebuildWords(state)).toBe(words);
  });

  it('is drawn as a bar no wider than the terminal', () => {
    expect(progressBar({ whole: false, run }, 60)).toBe(
      '[#########.....................]  30 %  3 rooms and 300 of 1',
    );
    expect(progressBar({ whole: true }, 200)).toContain('100 %');
    expect(progressBar({ whole: false, run: null }, 200)).toContain('  0 %');
    expect(progressBar({ whole: false, run: { ...run, total: 0 } }, 200)).toContain('  0 %');
  });
});
