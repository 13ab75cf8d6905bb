// The build for production: the server into dist/, the console into dist/console, side by side. --console builds that one alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault, run } from './say.mjs';
import { digestOf, filesIn, isDone, markDone } from './stamps.mjs';

const require = createRequire(import.meta.url);
const isSpec = (file) => /\.spec\.tsx?$/.test(file);

const SERVER = {
  stamp: 'dist/.server',
  sources: ['src', 'scripts/swc.cjs', 'package-lock.json'],
  make: makeServer,
};
const CONSOLE = { stamp: 'dist/.console', sources: ['console', 'package-lock.json'], make: makeConsole };

export function isBuilt() {
  return [SERVER, CONSOLE].every(({ stamp, sources }) => isDone(stamp, digest(sources)));
}

/** Makes what is not made yet from the sources as they are. */
export async function build(parts = [SERVER, CONSOLE]) {
  mkdirSync('dist', { recursive: true });
  const faults = await Promise.allSettled(parts.map(buildPart));
  for (const { reason } of faults) if (reason) throw reason;
}

async function buildPart({ stamp, sources, make }) {
  const made = digest(sources);
  if (isDone(stamp, made)) return;
  rmSync(stamp, { force: true });
  await make();
  markDone(stamp, made);
}

const digest = (sources) => digestOf(sources, { unless: isSpec });

async function makeServer() {
  // What a removed source once became must not be found by anybody.
  for (const name of readdirSync('dist')) {
    if (name !== 'console' && name !== '.console') rmSync(join('dist', name), { recursive: true });
  }
  const { transformFile } = require('@swc/core');
  const options = { ...require('./swc.cjs'), swcrc: false, sourceMaps: true };
  const compile = async (source) => {
    const target = join('dist', source.slice('src/'.length).replace(/\.ts$/, '.js'));
    const { code, map } = await transformFile(source, options).catch((error) => {
      throw new Fault(`${source} could not be compiled: ${error.message}`);
    });
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, `${code}\n//# sourceMappingURL=${target.split('/').at(-1)}.map\n`);
    writeFileSync(`${target}.map`, map);
  };
  const sources = filesIn('src').filter((file) => !isSpec(file));
  await Promise.all(sources.filter((file) => file.endsWith('.ts')).map(compile));
  for (const asset of sources.filter((file) => !file.endsWith('.ts'))) {
    cpSync(asset, join('dist', asset.slice('src/'.length)), { recursive: true });
  }
}

async function makeConsole() {
  const args = [
    'node_modules/vite/bin/vite.js',
    'build',
    '--config',
    'console/vite.config.mts',
    '--logLevel',
    'warn',
  ];
  const vite = spawn(process.execPath, args, { stdio: 'inherit' });
  const [status] = await once(vite, 'exit');
  if (status !== 0 || !existsSync('dist/console/index.html')) {
    throw new Fault('The console could not be built; what it says above has to be mended first.');
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  void run(() => build(process.argv.includes('--console') ? [CONSOLE] : undefined));
}
