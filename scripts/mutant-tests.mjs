// A copy of the work tree in which a mutant is shown by one test of jest; the work tree itself stays as it is.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { findRedisServer } from './redis.mjs';
import { Fault } from './say.mjs';

const { mutated } = createRequire(import.meta.url)('../test/chaos/mutants/mutants.cjs');
const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** A code that can't run at all is no defect that a test has found. */
const BROKEN_CODE = /^(?:SyntaxError|ReferenceError|TypeError)\b/;

export class MutantTests {
  #copy = null;

  /** What the test says of the mutant; null: it passes. Throws Fault where that can't be told. */
  async run(mutant) {
    const { name, shownByTest, changes } = mutant;
    const files = [...new Set(changes.map(({ file }) => file))];
    try {
      for (const file of files) this.#apply(mutant, file);
      const said = await this.#test(name, shownByTest);
      // What a test says without the mutant it does not say of it.
      if (said !== null) {
        this.#restore(files);
        const innocent = await this.#test(name, shownByTest);
        if (innocent !== null) throw new Fault(`${name}: its test fails without it, too: ${innocent}`);
      }
      return said;
    } finally {
      this.#restore(files);
    }
  }

  close() {
    if (this.#copy !== null) rmSync(this.#copy, { recursive: true, force: true });
  }

  /** Made for the first mutant that is shown so. */
  get #folder() {
    if (this.#copy !== null) return this.#copy;
    this.#copy = mkdtempSync(join(tmpdir(), 'tallylight-mutants-'));
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
    this.#restore(files.filter((file) => existsSync(join(ROOT, file))));
    symlinkSync(join(ROOT, 'node_modules'), join(this.#copy, 'node_modules'));
    return this.#copy;
  }

  #restore(files) {
    for (const file of files) cpSync(join(ROOT, file), join(this.#folder, file));
  }

  #apply(mutant, file) {
    const path = join(this.#folder, file);
    writeFileSync(path, mutated(mutant, file, readFileSync(path, 'utf8')));
  }

  async #test(name, { project, file, test }) {
    const output = join(this.#folder, '.mutant.json');
    rmSync(output, { force: true });
    const args = [
      ...['--runTestsByPath', file, '--testNamePattern', escaped(test)],
      ...['--json', '--outputFile', output, '--forceExit', '--selectProjects', project],
    ];
    const redisServer = findRedisServer();
    const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...args], {
      cwd: this.#folder,
      stdio: 'ignore',
      env: { ...process.env, ...(redisServer && { REDIS_SERVER: redisServer }) },
    });
    await once(jest, 'exit');
    if (!existsSync(output)) throw new Fault(`${name}: jest did not run ${file}`);
    return verdictOf(name, JSON.parse(readFileSync(output, 'utf8')), `${file}: ${test}`);
  }
}

/** Only a test that ran can say something: neither a file that does not compile does, nor one without such a test. */
function verdictOf(name, { numRuntimeErrorTestSuites, testResults }, what) {
  if (numRuntimeErrorTestSuites > 0) throw new Fault(`${name}: ${testResults[0]?.message ?? what}`);
  const ran = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'passed' || status === 'failed');
  if (ran.length === 0) throw new Fault(`${name}: there is no test ${what}`);
  const [failure = null] = ran.flatMap(({ failureMessages }) => failureMessages.map(plain));
  if (failure !== null && BROKEN_CODE.test(failure)) throw new Fault(`${name}: ${failure}`);
  return failure;
}

/** Its first line, without colours. */
function plain(message) {
  return stripVTControlCharacters(message).split('\n')[0];
}

function escaped(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
