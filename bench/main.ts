// npm run bench [-- NAME...] [--quick] [--size N] [--json FILE] [--markdown FILE] [--against FILE] [--profile FOLDER]: see bench/README.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { bulk } from './rows/bulk.js';
import { consolePage } from './rows/console.js';
import { lists, search } from './rows/lists.js';
import { media } from './rows/media.js';
import { memory } from './rows/memory.js';
import { idle } from './rows/process.js';
import { reads } from './rows/reads.js';
import { rebuild } from './rows/rebuild.js';
import { start } from './rows/start.js';
import { subscribers } from './rows/subscribers.js';
import { webhooksOut } from './rows/webhooks-out.js';
import { sweep } from './rows/sweep.js';
import { webhooks } from './rows/webhooks.js';
import { compared, readResults, type Result } from './support/compare.js';
import { lookBriefly } from './support/measure.js';
import { machine, markdown, shown } from './support/report.js';
import { profileInto } from './support/target.js';
import type { Bench } from './support/figures.js';

const BENCHES: readonly Bench[] = [
  start,
  reads,
  webhooks,
  webhooksOut,
  bulk,
  rebuild,
  subscribers,
  media,
  idle,
  memory,
  sweep,
  lists,
  search,
  consolePage,
];

// Those parts of the product that a benchmark uses itself have nothing to say.
Logger.overrideLogger(false);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      markdown: { type: 'string' },
      against: { type: 'string' },
      size: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    const known = BENCHES.map(({ name, measures }) => `  ${name.padEnd(16)}${measures}`).join('\n');
    throw new Error(`there is no benchmark ${unknown.join(', ')}; there are\n${known}`);
  }
  const size = values.size === undefined ? null : Number(values.size);
  if (size !== null && !(size > 0)) throw new Error('--size is a number of recordings');
  const former = values.against === undefined ? null : readResults(values.against);
  if (values.quick) lookBriefly();
  if (values.profile !== undefined) profileInto(values.profile);
  const conditions = machine();
  console.log(
    `${Object.values(conditions).join(', ')}${values.quick ? '; a short cut: the figures mean nothing' : ''}`,
  );
  const results: Result[] = [];
  for (const bench of BENCHES) {
    if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
    for (const figures of await bench.run({ quick: values.quick, size })) {
      results.push({ bench: bench.name, ...figures });
      console.log(shown(figures));
    }
  }
  if (values.json !== undefined) {
    const text = `${JSON.stringify({ format: 1, quick: values.quick, machine: conditions, results }, null, 2)}\n`;
    give(values.json, text);
  }
  if (values.markdown !== undefined) give(values.markdown, markdown(conditions, results, values.quick));
  if (former !== null) {
    const changes = compared(former, conditions, results);
    console.log(`\nagainst ${values.against}:${changes.length === 0 ? ' nothing has changed' : ''}`);
    for (const line of changes) console.log(`  ${line}`);
  }
}

/** `-` is standard output. */
function give(path: string, text: string): void {
  if (path === '-') console.log(text);
  else writeFileSync(path, text);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
