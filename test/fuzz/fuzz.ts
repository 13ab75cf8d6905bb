import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { anyCase, type Case, perform } from './cases.js';
import type { Problem } from './judge.js';
import { grown, readStored } from './stored.js';
import { startWorld, type World } from './world.js';

const CONTRACT = join(__dirname, '../../contract/schema.graphql');
const MOST_BLOCKED_MS = 50;
const TRIES = 3;
const SETTLE_MS = 300;
const SHRINK_MS = 15_000;
/** A world is left for a new one after so long: what was accepted in it adds up. */
const WORLD_MS = 4 * 60_000;

export interface Finding {
  /** A run with it begins with the world and the cases that this was found in. */
  readonly seed: number;
  readonly problems: readonly Problem[];
  readonly smallest: Case;
}

export interface FuzzResult {
  readonly cases: number;
  /** By what was asked and how it was answered. */
  readonly counts: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  /** The longest that the event loop was blocked by one case, in ms. */
  readonly longestBlockMs: number;
  /** Of the processes under test, at the beginning and the end of each world. */
  readonly rssMib: readonly (readonly [number, number])[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly forMs: number;
  readonly mostCases?: number;
  /** Stop at so many kinds of findings. */
  readonly mostFindings?: number;
  /** Told as it is found: a run may be broken off. */
  readonly onFinding?: (finding: Finding) => void;
  readonly onWorld?: (cases: number, rssMib: readonly [number, number]) => void;
}

/** Draws cases and performs them one by one against an instance in a process of its own, for so long. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const run = new Run(buildSchema(readFileSync(CONTRACT, 'utf8')), options);
  const until = performance.now() + options.forMs;
  for (let n = options.seed; performance.now() < until && !run.isEnough; n += 1) {
    // Every second one: a world in which nothing goes on shows what was stored for nothing.
    const world = await startWorld({ live: n % 2 === 1 });
    try {
      await run.in(world, n, Math.min(WORLD_MS, until - performance.now()));
    } finally {
      await world.close();
    }
  }
  return run;
}

class Run implements FuzzResult {
  cases = 0;
  longestBlockMs = 0;
  readonly counts = new Map<string, number>();
  readonly findings: Finding[] = [];
  readonly rssMib: [number, number][] = [];

  private readonly mostCases: number;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly options: FuzzOptions,
  ) {
    this.mostCases = options.mostCases ?? Infinity;
  }

  get isEnough(): boolean {
    return this.findings.length >= (this.options.mostFindings ?? 20) || this.cases >= this.mostCases;
  }

  async in(world: World, seed: number, forMs: number): Promise<void> {
    // What is compiled and filled at the first use is no fault of what was asked.
    for (const one of fc.sample(anyCase(this.schema, world), { seed: 1, numRuns: 40 }))
      await perform(world, one);
    const rssBytes = (await world.instance.readLoop())?.rssBytes ?? 0;
    const until = performance.now() + forMs;
    for (let n = 0; performance.now() < until && !this.isEnough && !world.instance.hasEnded; n += 1) {
      // An even step, so that the seed of a finding names the kind of its world too.
      await this.draw(world, seed + n * 1_000, until);
    }
    const after = (await world.instance.readLoop())?.rssBytes ?? 0;
    const rssMib: [number, number] = [Math.round(rssBytes / 2 ** 20), Math.round(after / 2 ** 20)];
    this.rssMib.push(rssMib);
    this.options.onWorld?.(this.cases, rssMib);
  }

  /** Until the first finding, which is made as small as it can be. */
  private async draw(world: World, seed: number, until: number): Promise<void> {
    const found = new Map<string, readonly Problem[]>();
    let giveUpAt = Infinity;
    const left = Math.max(1, until - performance.now());
    const details = await fc.check(
      fc.asyncProperty(anyCase(this.schema, world), async (one) => {
        // What comes after an end fails because of it.
        if (performance.now() > giveUpAt || world.instance.hasEnded) return;
        const problems = await this.judge(world, one);
        if (problems.length === 0) return;
        found.set(JSON.stringify(one), problems);
        giveUpAt = Math.min(giveUpAt, performance.now() + SHRINK_MS);
        throw new Error(problems.join('; '));
      }),
      {
        seed,
        numRuns: Math.min(1_000_000, this.mostCases - this.cases),
        interruptAfterTimeLimit: left,
        markInterruptAsFailure: false,
      },
    );
    const smallest = details.counterexample?.[0];
    if (!details.failed || smallest === undefined) return;
    const problems = found.get(JSON.stringify(smallest)) ?? [String(details.errorInstance)];
    this.known.add(kindOf(problems));
    const finding = { seed, problems, smallest };
    this.findings.push(finding);
    this.options.onFinding?.(finding);
  }

  private readonly known = new Set<string>();

  private async judge(world: World, one: Case): Promise<Problem[]> {
    let problems = await this.observe(world, one);
    // A busy machine, or work of the product's own, shows once; a fault shows again.
    for (let tries = 1; tries < TRIES && problems.length > 0 && !world.instance.hasEnded; tries += 1) {
      await settled(SETTLE_MS);
      problems = await this.observe(world, one);
    }
    return this.known.has(kindOf(problems)) ? [] : problems;
  }

  private async observe(world: World, one: Case): Promise<Problem[]> {
    const { instance, redis, folder, live } = world;
    const faults = instance.faults.length;
    const before = live ? null : await readStored(redis, folder);
    const { counted, problems, stores } = await perform(world, one);
    this.cases += 1;
    this.counts.set(counted, (this.counts.get(counted) ?? 0) + 1);
    const all = [...problems];
    const loop = await instance.readLoop();
    if (loop === null) return [`the process ended, ${instance.end}: ${instance.log.slice(-1_500)}`, ...all];
    const { blockedMs } = loop;
    if (blockedMs > MOST_BLOCKED_MS)
      all.push(`the event loop was blocked for more than ${MOST_BLOCKED_MS} ms`);
    else this.longestBlockMs = Math.max(this.longestBlockMs, blockedMs);
    if (stores && !live) await settled(SETTLE_MS);
    if (!stores && before) {
      const more = grown(before, await readStored(redis, folder));
      if (more.length > 0) all.push(`stored although nothing was accepted: ${more.slice(0, 3).join(', ')}`);
    }
    for (const line of instance.faults.slice(faults)) all.push(`logged as a fault: ${line.slice(0, 300)}`);
    return all;
  }
}

/** Alike but for what they name. */
function kindOf(problems: readonly Problem[]): string {
  return problems.map((problem) => problem.replace(/[0-9a-zA-Z_-]{20,}|\d+/g, '#').slice(0, 80)).join('; ');
}

function settled(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
