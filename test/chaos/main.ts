import { Logger } from '@nestjs/common';
import { CASES } from './plan/cases.js';
import { runSeed } from './run-seed.js';
import { shrink } from './shrink.js';

/**
 * One process of the long run: seeds from the first in steps, one line of JSON for each violation and one at the end.
 * `node --require test/chaos/register.cjs test/chaos/main.ts <from> <count> <step> [--stop-at-first]`; with `--trace <seed>` one run whole,
 * with `--case <name>` one of the single histories.
 */
async function main(args: readonly string[]): Promise<void> {
  if (!process.env.TEST_LOGS) Logger.overrideLogger(false);
  if (args[0] === '--trace') return showTrace(Number(args[1]));
  const [from = 1, count = 1, step = 1] = args.slice(0, 3).map(Number);
  const name = args[args.indexOf('--case') + 1] ?? '';
  if (args.includes('--case')) return runCase(name);
  let done = 0;
  for (let seed = from; done < count; seed += step) {
    const result = await runSeed(seed);
    done += 1;
    if (result.violated) {
      const { violated, trace } = result;
      say({ kind: 'violated', seed, violated, trace });
      if (args.includes('--stop-at-first')) break;
    }
    if (done % 25 === 0) say({ kind: 'progress', done });
  }
  say({ kind: 'done', done });
}

async function runCase(name: string): Promise<void> {
  const plan = CASES.get(name);
  if (!plan) throw new Error(`there is no case "${name}"; there are: ${[...CASES.keys()].join('; ')}`);
  const { violated, trace } = await runSeed(1, { plan, keptLines: 1_000 });
  if (violated) say({ kind: 'violated', seed: 1, violated, trace });
  say({ kind: 'done', done: 1 });
}

async function showTrace(seed: number): Promise<void> {
  const whole = await runSeed(seed, { keptLines: 1_000_000, detailed: process.env.CHAOS_DETAILED === '1' });
  process.stdout.write(`${whole.trace.join('\n')}\n`);
  process.stdout.write(`digest ${whole.digest}, ${whole.tookMs / 1_000} s of virtual time\n`);
  if (!whole.violated) return;
  process.stdout.write(`${whole.violated.invariant}: ${whole.violated.what}\n`);
  const least = await shrink(whole);
  process.stdout.write(`${least.plan.actions.length} of ${whole.plan.actions.length} actions are enough:\n`);
  for (const action of least.plan.actions) process.stdout.write(`  ${JSON.stringify(action)}\n`);
  const { plan } = least;
  const again = await runSeed(seed, {
    plan,
    keptLines: 1_000_000,
    detailed: process.env.CHAOS_DETAILED === '1',
  });
  process.stdout.write(`${again.trace.join('\n')}\n`);
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

void main(process.argv.slice(2)).then(() => process.exit(0));
