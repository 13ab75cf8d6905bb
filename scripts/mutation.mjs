// The mutation tester over the core: changes it in every place, one at a time, and tells which changes no test sees.
// `npm run test:mutation -- [file.ts ...]`: no file named: all of src/recordings/domain, which takes some twenty minutes.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';
import { Fault, run, say } from './say.mjs';

const TERMS = fileURLToPath(new URL('../test/mutation/stryker.json', import.meta.url));

async function main() {
  const named = process.argv.slice(2);
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
