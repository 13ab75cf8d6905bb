// The mutation tester over the core: changes it in every place, one at a time, and tells which changes no test sees.
// `npm run test:mutation -- [--specs] [file.ts[:from-to] ...]`: no file named: all of src/recordings/domain, which takes some twenty
// minutes. `--specs`: by the specs alone, in seconds; what they don't see a single history may.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { Fault, run, say } from './say.mjs';

const TERMS = fileURLToPath(new URL('../test/mutation/stryker.json', import.meta.url));

async function main() {
  const { values, positionals: named } = parseArgs({
    allowPositionals: true,
    options: { specs: { type: 'boolean', default: false } },
  });
  if (values.specs) process.env.MUTATION_TESTS = 'specs';
  const terms = JSON.parse(readFileSync(TERMS, 'utf8'));
  const results = await new Stryker({
    ...terms,
    ...(named.length > 0 && { mutate: named }),
  }).runMutationTest();
  const lived = results.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  for (const { fileName, location, mutatorName, replacement, status } of lived) {
    const { line, column } = location.start;
    const became = replacement.replaceAll(/\s+/g, ' ');
    say(
      `${fileName}:${line}:${column} ${mutatorName} to ${became}${status === 'NoCoverage' ? ' (no test comes there)' : ''}`,
    );
  }
  say(`${results.length} changes, of which no test sees ${lived.length}.`);
  if (results.length === 0) throw new Fault('Nothing was changed: is there such a file?');
}

await run(main);
