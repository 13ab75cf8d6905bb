import { fuzz } from './fuzz.js';

const SHOWN = 40;

/** FUZZ_SECONDS (60) and FUZZ_SEED (the time): `npm run test:fuzz`. */
async function main(): Promise<number> {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 60);
  const seed = Number(process.env.FUZZ_SEED ?? Math.trunc(performance.timeOrigin) % 1_000_000);
  const { cases, counts, findings, longestBlockMs, rssMib } = await fuzz({ seed, forMs: seconds * 1_000 });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const { problems, smallest, seed: at } of findings) {
    say(`\nFound with the seed ${at}: ${problems.join('; ')}`);
    say(JSON.stringify(smallest).slice(0, 2_000));
  }
  const most = [...counts].toSorted(([, a], [, b]) => b - a);
  for (const [what, count] of most.slice(0, SHOWN)) say(`${String(count).padStart(8)} ${what}`);
  say(`${cases} cases of ${counts.size} kinds of answers with the seed ${seed}, ${findings.length} findings`);
  say(`the event loop was never blocked longer than ${longestBlockMs.toFixed(1)} ms otherwise`);
  say(
    `memory of the process in MiB, before and after: ${rssMib.map((pair) => pair.join(' -> ')).join(', ')}`,
  );
  return findings.length === 0 ? 0 : 1;
}

void main().then((code) => process.exit(code));
