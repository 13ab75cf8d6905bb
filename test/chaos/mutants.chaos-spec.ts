import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS, mutated } from './mutants/mutants.cjs';
import { CASES } from './plan/cases.js';

const ROOT = join(__dirname, '../..');

// Who changes the code is told here, and not by the next run of the whole kill table.
describe('the mutants of the kill table', () => {
  it('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it('fit the code: each text stands there once, and becomes another', () => {
    for (const mutant of MUTANTS) {
      for (const { file, find, replace } of mutant.changes) {
        expect(find).not.toBe(replace);
        mutated(mutant, file, readFileSync(join(ROOT, file), 'utf8'));
      }
    }
    expect(MUTANTS.filter((mutant) => mutant.changes.length === 0)).toEqual([]);
  });

  it('are shown by single histories that there are', () => {
    const named = MUTANTS.flatMap(({ shownBy }) => (shownBy ? [shownBy] : []));
    expect(named.filter((name) => !CASES.has(name))).toEqual([]);
  });

  it('are shown, where the simulation can not, by tests that there are', () => {
    const named = MUTANTS.flatMap(({ shownByTest }) => (shownByTest ? [shownByTest] : []));
    const wrong = named.filter(({ file, test }) => {
      const path = join(ROOT, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').includes(test);
    });
    expect(wrong).toEqual([]);
  });
});
