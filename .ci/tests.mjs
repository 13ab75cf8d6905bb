// One command of jest, for .ci/run: node .ci/tests.mjs NAME SECONDS FOLDER COMMAND...
// Test files that fail are run once more, alone. Leaves in FOLDER what NAME came to: NAME.counts ("passed failed", of the
// final state) and NAME.summary (each test that failed with the first lines of why, and which of them passed alone).
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** More files than these are no accident of a busy machine: running them again would only take time. */
const MOST_FILES_AGAIN = 10;
const MOST_SHOWN = 30;
const LINES_OF_EACH = 8;

const [name, seconds, folder, ...command] = process.argv.slice(2);
const summary = [];

const first = await run(name, []);
let files = first.files;
const broken = [...files.values()].filter(({ failed }) => failed > 0);
if (broken.length > 0 && broken.length <= MOST_FILES_AGAIN) {
  console.log(`\n== ${name}: ${broken.length} test files failed and are run again, alone`);
  const paths = broken.map(({ path }) => path);
  const again = await run(`${name}-again`, ['--runInBand', '--runTestsByPath', ...paths]);
  for (const file of broken) {
    const now = again.files.get(file.path);
    if (now === undefined) continue;
    files = new Map(files).set(file.path, now);
    const mended = file.failures.filter(({ title }) => !now.failures.some((one) => one.title === title));
    tell('FAILED AT FIRST, PASSED ALONE', mended);
  }
}
const faults = [...files.values()].flatMap(({ failures }) => failures);
tell('FAILED', faults);
let failed = sum('failed');
if (first.fault !== null && (broken.length === 0 || first.files.size === 0)) {
  summary.push(`FAILED: ${name} ${first.fault}`);
  failed += 1;
}
writeFileSync(join(folder, `${name}.counts`), `${sum('passed')} ${failed}\n`);
writeFileSync(join(folder, `${name}.summary`), summary.map((line) => `${line}\n`).join(''));

function sum(what) {
  return [...files.values()].reduce((total, file) => total + file[what], 0);
}

function tell(heading, failures) {
  for (const { title, lines } of failures.slice(0, MOST_SHOWN)) {
    summary.push(`${heading}: ${title}`, ...lines.map((line) => `    ${line}`));
  }
  if (failures.length > MOST_SHOWN) summary.push(`${heading}: ${failures.length - MOST_SHOWN} more`);
}

/** What jest came to, file by file; `fault` says why that can't be all of it. */
async function run(as, more) {
  const output = join(folder, `${as}.json`);
  // A hook that failed may leave something open; that is a failure already and must not become a run without an end.
  const args = [...more, '--json', `--outputFile=${output}`, '--silent', '--forceExit'];
  const end = await ended([...command, ...args]);
  const fault = end === 0 ? null : end === null ? `had not ended after ${seconds} s` : `ended with ${end}`;
  try {
    const results = JSON.parse(readFileSync(output, 'utf8')).testResults.map(read);
    const ran = results.length > 0;
    return { files: new Map(results.map((file) => [file.path, file])), fault: ran ? fault : 'ran nothing' };
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { files: new Map(), fault: `${fault ?? 'ended'} and left no result` };
  }
}

/** The exit code; null when it took too long and was ended with all that it started. */
async function ended([program, ...args]) {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  process.once('exit', stop);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  let late = false;
  const limit = setTimeout(() => stop((late = true)), Number(seconds) * 1_000);
  const code = await new Promise((resolve) => {
    child.once('exit', (status) => resolve(status ?? 1));
    child.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
  });
  clearTimeout(limit);
  process.off('exit', stop);
  return late ? null : code;
}

function read({ name: file, message, status, assertionResults }) {
  const path = relative(process.cwd(), file);
  const failures = assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => ({
      title: `${path} › ${[...test.ancestorTitles, test.title].join(' › ')}`,
      lines: firstLines(test.failureMessages.join('\n')),
    }));
  // A file that could not be run has no tests that failed.
  if (status === 'failed' && failures.length === 0) {
    failures.push({ title: `${path} could not be run`, lines: firstLines(message) });
  }
  const passed = assertionResults.filter((test) => test.status === 'passed').length;
  return { path, passed, failed: failures.length, failures };
}

function firstLines(text) {
  return stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*at .*node_modules/.test(line))
    .slice(0, LINES_OF_EACH)
    .map((line) => line.slice(0, 300));
}
