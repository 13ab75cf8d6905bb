// The build for production: the server into dist/, the console into dist/console. With --console that one alone.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Fault, run } from './say.mjs';
import { digestOf, isDone, markDone } from './stamps.mjs';

const STAMP = 'dist/.stamp';
const SOURCES = [
  'src',
  'console',
  'tsconfig.json',
  'tsconfig.build.json',
  'nest-cli.json',
  'package-lock.json',
];
const isSpec = (file) => /\.spec\.tsx?$/.test(file);

const digest = () => digestOf(SOURCES, { unless: isSpec });

export function isBuilt() {
  return isDone(STAMP, digest());
}

export function build() {
  const made = digest();
  // What a removed source once became must not be found by anybody.
  rmSync('dist', { recursive: true, force: true });
  tool('@nestjs/cli/bin/nest.js', 'build');
  buildConsole();
  markDone(STAMP, made);
}

function buildConsole() {
  tool('vite/bin/vite.js', 'build', '--config', 'console/vite.config.mts', '--logLevel', 'warn');
}

function tool(path, ...args) {
  const { status } = spawnSync(process.execPath, [`node_modules/${path}`, ...args], { stdio: 'inherit' });
  if (status !== 0) throw new Fault('The build failed; what it says above has to be mended first.');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  void run(async () => (process.argv.includes('--console') ? buildConsole() : build()));
}
