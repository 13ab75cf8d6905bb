import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SWEEP_NAMES } from '../../src/sweeps/sweep.js';
import { JOBS, SWEEPS } from './world/product.js';

const SOURCE = join(__dirname, '../../src');

/** The classes of all files of the product that end so. */
function classesIn(suffix: string, base: string): string[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith(suffix),
  );
  const declared = new RegExp(`export class (\\w+) extends ${base}\\b`, 'g');
  return files.flatMap((file) =>
    [...readFileSync(join(SOURCE, file), 'utf8').matchAll(declared)].map(([, name = '']) => name),
  );
}

describe('what the simulation is made of', () => {
  it('is every job of the product', () => {
    expect(JOBS.map(({ name }) => name).sort()).toEqual(classesIn('.job.ts', 'JobHandler').sort());
  });

  it('is every sweep of the product', () => {
    expect(SWEEPS.map(({ name }) => name).sort()).toEqual(classesIn('.sweep.ts', 'Sweep').sort());
    expect(SWEEPS).toHaveLength(SWEEP_NAMES.length);
  });
});
