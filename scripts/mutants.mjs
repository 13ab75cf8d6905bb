// The kill table: brings each classic defect back and runs the simulation until something is violated, or the test that shows
// what is not in the simulation. The result goes into docs/certainty.md. A single history that shows it is tried first. `node scripts/mutants.mjs [--only M3,M4] [--seeds 2000] [--dry]`
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCase, runSeeds } from './chaos.mjs';
import { MutantTests } from './mutant-tests.mjs';
import { Fault, run, say } from './say.mjs';

const { MUTANTS } = createRequire(import.meta.url)('../test/chaos/mutants/mutants.cjs');
const PAGE = fileURLToPath(new URL('../docs/certainty.md', import.meta.url));
const HEADING = '## Kill table';
const KILLED_BY = /^(I\d+): /;

/** What shows it, and which invariant says so; `by` null: it survived. */
async function hunt(mutant, seeds, processes, tests) {
  if (mutant.shownByTest) return huntByTest(mutant, tests);
  if (!mutant.shownBy) return huntBySeeds(mutant, seeds, processes);
  const [shown] = await runCase(mutant.shownBy, mutant.name);
  if (!shown) return huntBySeeds(mutant, seeds, processes);
  const { invariant, what } = shown.violated;
  if (invariant === 'harness') throw new Fault(`${mutant.name}: ${what}`);
  return { in: mutant.shownBy, by: KILLED_BY.exec(what)?.[1] ?? invariant, what: what.split('\n')[0] };
}

async function huntByTest(mutant, tests) {
  const { file, test } = mutant.shownByTest;
  const what = await tests.run(mutant);
  return { in: `\`${file}\`: ${test}`, by: what === null ? null : 'a test', what };
}

async function huntBySeeds(mutant, seeds, processes) {
  for (let from = 1; from <= seeds;) {
    const { violations } = await runSeeds({
      seeds: seeds - from + 1,
      from,
      processes,
      mutant: mutant.name,
      stopAtFirst: true,
    });
    const [first] = violations.sort((a, b) => a.seed - b.seed);
    if (!first) break;
    const { seed, violated } = first;
    if (violated.invariant === 'harness') throw new Fault(`${mutant.name}: ${violated.what}`);
    // What a seed says without the mutant it does not say of it.
    const { violations: innocent } = await runSeeds({ seeds: 1, from: seed, processes: 1 });
    const by = KILLED_BY.exec(violated.what)?.[1] ?? violated.invariant;
    if (innocent.length === 0) return { in: `seed ${seed}`, by, what: violated.what.split('\n')[0] };
    from = seed + 1;
  }
  return { in: `${seeds} seeds`, by: null };
}

function tableOf(rows) {
  const line = (row) =>
    `| ${row.mutant.name} | ${row.mutant.defect} | ${row.by ?? '**survives**'} | ${row.in} |`;
  return [
    HEADING,
    '',
    'Each classic defect, brought back into the source, and the single history (`test/chaos/plan/cases.ts`) or the first seed in which the simulation says so, or, of what is not in the simulation, the test that does (`node scripts/mutants.mjs`).',
    '',
    '| mutant | defect | killed by | in |',
    '| --- | --- | --- | --- |',
    ...rows.map(line),
    '',
  ].join('\n');
}

function writeTable(table) {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Certainty\n\n';
  const from = page.indexOf(HEADING);
  const next = from === -1 ? -1 : page.indexOf('\n## ', from + HEADING.length);
  const before = from === -1 ? `${page.trimEnd()}\n\n` : page.slice(0, from);
  const after = next === -1 ? '' : page.slice(next);
  writeFileSync(PAGE, `${before}${table}${after}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seeds: { type: 'string', default: '2000' },
      processes: { type: 'string', default: '2' },
      dry: { type: 'boolean', default: false },
    },
  });
  const only = values.only?.split(',');
  const rows = [];
  const tests = new MutantTests();
  try {
    for (const mutant of MUTANTS.filter(({ name }) => only?.includes(name) ?? true)) {
      const found = await hunt(mutant, Number(values.seeds), Number(values.processes), tests);
      rows.push({ mutant, ...found });
      say(`${mutant.name}: ${found.by ?? 'SURVIVES'} in ${found.in}. ${found.what ?? ''}`);
    }
  } finally {
    tests.close();
  }
  if (!values.dry && !only) writeTable(tableOf(rows));
  const alive = rows.filter(({ by }) => by === null);
  if (alive.length > 0)
    throw new Fault(
      `${alive.map(({ mutant }) => mutant.name).join(', ')} survived: a hole in the simulation or the tests.`,
    );
}

await run(main);
