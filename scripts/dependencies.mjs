import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { Fault, timed } from './say.mjs';
import { digestOf, isDone, markDone } from './stamps.mjs';

const STAMP = 'node_modules/.tallylight-stamp';
const LOCK = 'package-lock.json';
const INSTALLED = 'node_modules/.package-lock.json';

/** Installs what package-lock.json names, unless exactly that is installed. */
export async function ensureDependencies() {
  const digest = digestOf([LOCK]);
  if (isDone(STAMP, digest)) return;
  if (!isInstalledAlready()) await install();
  markDone(STAMP, digest);
}

async function install() {
  refuseUnwritable();
  const args = ['ci', '--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith('.js') ? [process.execPath, npm, ...args] : ['npm', ...args];
  const status = await timed('Installing the dependencies with npm ci', () => finished(command));
  if (status !== 0) {
    throw new Fault(
      'npm ci could not install the dependencies; see above, and try again once npm can reach its registry.',
    );
  }
}

async function finished([program, ...args]) {
  const child = spawn(program, args, { stdio: 'inherit' });
  const [status] = await once(child, 'exit');
  return status;
}

function refuseUnwritable() {
  try {
    accessSync('.', constants.W_OK);
  } catch {
    throw new Fault(
      `The folder ${process.cwd()} can not be written by this user: make it writable, or clone again into one that is.`,
    );
  }
}

/** Somebody ran npm ci by hand: what npm notes of it has every package of the lock, in its version. */
function isInstalledAlready() {
  if (!existsSync(INSTALLED)) return false;
  const wanted = packagesOf(LOCK);
  const there = packagesOf(INSTALLED);
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional, link }]) =>
      path === '' || link || there[path]?.version === version || (!there[path] && (optional || devOptional)),
  );
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}
