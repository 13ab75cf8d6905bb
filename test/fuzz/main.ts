import { type Finding, fuzz } from './fuzz.js';

const SHOWN = 40;

/** FUZZ_SECONDS (60) and FUZZ_SEED (the time): `npm run test:fuzz`. */
async function main(): Promise<number> {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 60);
  const seed = Number(process.env.FUZZ_SEED ?? Math.trunc(performance.timeOrigin) % 1_000_000);
  const begun = performance.now();
  const { cases, counts, findings, longestBlockMs, rssMib } = await fuzz({
    seed,
    forMs: seconds * 1_000,
    onFinding: tell,
    onWorld: (sent, [before, after]) => {
      const passed = Math.round((performance.now() - begun) / 1_000);
      say(`${passed} s: ${sent} cases; memory of the process ${before} -> ${after} MiB`);
    },
  });
  const most = [...counts].toSorted(([, a], [, b]) => b - a);
  for (const [what, count] of most.slice(0, SHOWN)) say(`${String(count).padStart(8)} ${what}`);
  say(`${cases} cases of ${counts.size} kinds of answers with the seed ${seed}, ${findings.length} findings`);
  say(`the event loop was never blocked longer than ${longestBlockMs.toFixed(1)} ms otherwise`);
  say(
    `memory of the process in MiB, before and after: ${rssMib.map((pair) => pair.join(' -> ')).join(', ')}`,
  );
  return findings.length === 0 ? 0 : 1;
}

function tell({ seed, problems, smallest }: Finding): void {
  say(`\nFound, and found again with FUZZ_SEED=${seed}: ${problems.join('; ')}`);
  say(JSON.stringify(smallest).slice(0, 2_000));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(`the fuzzer itself broke off: ${error instanceof Error ? error.stack : String(error)}`);
    process.exit(2);
  },
);
