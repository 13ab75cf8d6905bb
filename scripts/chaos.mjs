// The simulation: `npm run test:chaos -- --seeds 10000 --from 1`, and one run whole by `--seed N`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Fault, run, say } from './say.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE = ['--require', './test/chaos/register.cjs', './test/chaos/main.ts'];
const SHOWN_LINES = 60;
const SHOWN_FAILURES = 3;

/** Runs `seeds` of them from `from` on, in so many processes; answers what was violated, in the order it was found. */
export async function runSeeds({
  seeds,
  from,
  processes,
  mutant = null,
  stopAtFirst = false,
  onProgress = () => undefined,
}) {
  const violations = [];
  const done = Array.from({ length: processes }, () => 0);
  const stop = new AbortController();
  const each = done.map((_, i) => {
    const count = Math.ceil((seeds - i) / processes);
    const args = [from + i, count, processes, ...(stopAtFirst ? ['--stop-at-first'] : [])].map(String);
    return child(args, mutant, stop.signal, (line) => {
      if (line.kind === 'violated') violations.push(line);
      if (line.kind === 'violated' && stopAtFirst) stop.abort();
      if (line.done !== undefined) done[i] = line.done;
      onProgress(
        done.reduce((sum, n) => sum + n, 0),
        violations,
      );
    });
  });
  await Promise.all(each);
  return { violations, done: done.reduce((sum, n) => sum + n, 0) };
}

/** One of the single histories, by its name; what it violates, or nothing. */
export async function runCase(name, mutant = null) {
  const violations = [];
  await child(['--case', name], mutant, new AbortController().signal, (line) => {
    if (line.kind === 'violated') violations.push(line);
  });
  return violations;
}

function child(args, mutant, signal, onLine) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...(mutant && { CHAOS_MUTANT: mutant }) };
    const of = spawn(process.execPath, [...NODE, ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const errors = [];
    let finished = false;
    signal.addEventListener('abort', () => of.kill());
    of.stderr.on('data', (chunk) => errors.push(chunk));
    createInterface({ input: of.stdout }).on('line', (text) => {
      const line = JSON.parse(text);
      finished ||= line.kind === 'done';
      onLine(line);
    });
    of.on('close', () => {
      if (finished || signal.aborted) resolve();
      else reject(new Fault(`The simulation did not run to its end:\n${Buffer.concat(errors)}`));
    });
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      processes: { type: 'string', default: '2' },
      trace: { type: 'boolean', default: false },
    },
  });
  if (values.seed !== undefined) return replay(values.seed);
  const [seeds, from, processes] = [values.seeds, values.from, values.processes].map(Number);
  const since = performance.now();
  let shown = 0;
  let told = 0;
  const { violations, done } = await runSeeds({
    seeds,
    from,
    processes,
    onProgress: (count, found) => {
      // At once: a run of hours can be ended as soon as there is something to look at.
      for (const { seed, violated } of found.slice(told)) say(summary(seed, violated));
      told = found.length;
      if (count >= shown + 1_000) say(`${(shown = count)} runs, ${found.length} violations`);
    },
  });
  for (const { seed, violated, trace } of violations.slice(0, SHOWN_FAILURES)) {
    process.stdout.write(`\nSeed ${seed} violates ${violated.invariant}: ${violated.what}\n`);
    process.stdout.write(
      `${trace.slice(-SHOWN_LINES).join('\n')}\nAgain: npm run test:chaos -- --seed ${seed}\n`,
    );
  }
  const seconds = (performance.now() - since) / 1_000;
  say(
    `${done} runs in ${seconds.toFixed(1)} s (${(done / seconds).toFixed(0)} a second), ${violations.length} violations`,
  );
  for (const what of new Set(violations.map(({ violated }) => violated.invariant))) {
    const of = violations.filter(({ violated }) => violated.invariant === what).map(({ seed }) => seed);
    say(`${what}: ${of.length}, seeds ${of.slice(0, 12).join(' ')}`);
  }
  if (violations.length > 0) throw new Fault('Not everything held.');
}

function summary(seed, { invariant, what }) {
  return `seed ${seed}: ${invariant}: ${what.split('\n')[0]}`;
}

/** The whole trace of one run, and, where something was violated, the least plan that does it. */
async function replay(seed) {
  const of = spawn(process.execPath, [...NODE, '--trace', seed], { cwd: ROOT, stdio: 'inherit' });
  await new Promise((resolve) => of.on('close', resolve));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await run(main);
