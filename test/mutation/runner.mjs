// The test runner of the mutation tester. Its tests are the specs of the core and the single histories of the simulation, all in
// this process: a mutant costs the tests that reach it, and no start of anything.
import { readdirSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { declareFactoryPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import { DryRunStatus, MutantRunStatus, TestStatus } from '@stryker-mutator/api/test-runner';

const SPECS = ['src/recordings/domain', 'src/recordings/use-cases'];
const RUNS = 50;
/** A property that looks for something rare is asked as often as it says. */
const RARE = 3_000;
/** Where instrumented sources look for the mutant to be, and count what they pass. */
const SWITCH = (globalThis.__stryker__ ??= {});
/** From where the instrumented sources are, which is the working folder once a test is run. */
const load = (path) => createRequire(join(process.cwd(), 'test/chaos/register.cjs'))(path);

class CoreRunner {
  #tests = null;
  /** What killed a mutant, most recent last: its neighbours die of the same most of the time. */
  #killers = [];

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun({ coverageAnalysis }) {
    const tests = [];
    for (const [name, run] of this.#load()) {
      if (coverageAnalysis === 'perTest') SWITCH.currentTestId = name;
      const from = performance.now();
      const fault = await run();
      SWITCH.currentTestId = undefined;
      const test = { id: name, name, timeSpentMs: performance.now() - from, status: TestStatus.Success };
      tests.push(fault ? { ...test, status: TestStatus.Failed, failureMessage: fault } : test);
    }
    return { status: DryRunStatus.Complete, tests, mutantCoverage: SWITCH.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    SWITCH.activeMutant = activeMutant.id;
    SWITCH.hitCount = hitLimit === undefined ? undefined : 0;
    SWITCH.hitLimit = hitLimit;
    const tests = this.#load();
    let nrOfTests = 0;
    for (const name of this.#likeliestFirst(testFilter ?? [...tests.keys()])) {
      nrOfTests += 1;
      const fault = await tests.get(name)();
      if (SWITCH.hitCount > hitLimit) return { status: MutantRunStatus.Timeout };
      if (fault) {
        this.#killers = [...this.#killers.filter((killer) => killer !== name), name];
        return { status: MutantRunStatus.Killed, killedBy: [name], failureMessage: fault, nrOfTests };
      }
    }
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  #likeliestFirst(names) {
    return names.toSorted((a, b) => this.#killers.lastIndexOf(b) - this.#killers.lastIndexOf(a));
  }

  #load() {
    this.#tests ??= new Map([...specs(), ...(process.env.MUTATION_TESTS === 'specs' ? [] : histories())]);
    return this.#tests;
  }
}

/** Each test by its name, as a function that answers what is wrong or null; specs first, which are quick. */
function specs() {
  load('./register.cjs');
  load('@nestjs/common').Logger.overrideLogger(false);
  askPropertiesLess();
  const found = new Map();
  const path = [];
  const it = (name, run) => found.set([...path, name].join(' › '), () => faultOf(run));
  it.each = load('jest-each').bind(it);
  const describe = (name, body) => {
    path.push(name);
    body();
    path.pop();
  };
  Object.assign(globalThis, { describe, it, expect: load('expect').expect });
  for (const folder of SPECS) {
    const files = readdirSync(folder).filter((file) => file.endsWith('.spec.ts'));
    for (const file of files) load(join(process.cwd(), folder, file));
  }
  return found;
}

/** A property is asked of a mutant some dozens of times, and its first counterexample is enough: shrinking it is for readers. */
function askPropertiesLess() {
  const { default: fc } = load('fast-check');
  const assert = (property, terms = {}) => {
    const numRuns = terms.numRuns >= RARE ? terms.numRuns : RUNS;
    return fc.assert(property, { ...terms, numRuns, endOnFailure: true, seed: 1 });
  };
  const loaded = Module._load;
  Module._load = (name, ...rest) =>
    name === 'fast-check' ? { __esModule: true, default: { ...fc, assert } } : loaded(name, ...rest);
}

async function faultOf(run) {
  try {
    await run();
    return null;
  } catch (error) {
    // Never empty, also where a mutant took the words.
    return String(error?.message || error);
  }
}

function histories() {
  const { CASES } = load('./plan/cases.ts');
  const { runSeed } = load('./run-seed.ts');
  const history = (plan) => async () => {
    const { violated } = await runSeed(1, { plan });
    return violated && `${violated.invariant}: ${violated.what}`;
  };
  return [...CASES].map(([name, plan]) => [`history: ${name}`, history(plan)]);
}

const newCoreRunner = () => new CoreRunner();
newCoreRunner.inject = [];
export const strykerPlugins = [declareFactoryPlugin(PluginKind.TestRunner, 'core', newCoreRunner)];
