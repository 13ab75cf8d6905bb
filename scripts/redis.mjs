import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Fault, timed } from './say.mjs';

const SERVERS = ['redis-server', 'valkey-server'];
const LEAST_VERSION = 7;

/** What each package manager has to be told; the first that is there is asked. */
const MANAGERS = [
  {
    name: 'apt-get',
    before: ['update', '-qq'],
    install: ['install', '-y', '-qq', '--no-install-recommends'],
    packages: ['redis-server'],
  },
  { name: 'dnf', install: ['install', '-y', '-q'], packages: ['valkey', 'redis'] },
  { name: 'yum', install: ['install', '-y', '-q'], packages: ['valkey', 'redis'] },
  { name: 'apk', install: ['add', '--no-cache'], packages: ['valkey', 'redis'] },
  { name: 'pacman', install: ['-Sy', '--noconfirm'], packages: ['valkey'] },
  { name: 'zypper', install: ['--non-interactive', 'install'], packages: ['valkey', 'redis'] },
  { name: 'brew', install: ['install', '--quiet'], packages: ['redis'], asUser: true },
];

/** The path of one that was just installed. */
export async function installRedisServer() {
  await install();
  const installed = findRedisServer();
  if (installed) return installed;
  throw new Fault(
    `No redis-server is on the PATH although one was installed: open a new terminal, and try again.`,
  );
}

/** The path of a Redis server that is new enough; null when there is none. An old one ends the start, because what is on the PATH was chosen by somebody. */
export function findRedisServer() {
  const found = SERVERS.map(whereIs).filter((path) => path !== null);
  const versions = found.map((path) => ({ path, version: versionOf(path) }));
  const fit = versions.find(({ version }) => Number.parseInt(version, 10) >= LEAST_VERSION);
  if (fit) return fit.path;
  const [old] = versions;
  if (!old) return null;
  throw new Fault(
    old.version === ''
      ? `${old.path} does not say its version: repair it, or set REDIS_URL to a Redis that runs elsewhere.`
      : `${old.path} is version ${old.version}, and Tallylight needs ${LEAST_VERSION} or later: install a newer Redis or Valkey, or set REDIS_URL to one that runs elsewhere.`,
  );
}

function versionOf(path) {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return /\bv=(\d+(?:\.\d+)*)/.exec(stdout ?? '')?.[1] ?? '';
}

async function install() {
  const manager = MANAGERS.find(({ name }) => whereIs(name) !== null);
  const prefix = manager && (manager.asUser ? [] : rootPrefix());
  if (!manager || !prefix) throw new Fault(byHand(manager));
  const { name, before, packages } = manager;
  const installed = await timed(`Installing a Redis server with ${name}`, async () => {
    if (before) await asRoot(prefix, [name, ...before]);
    for (const pack of packages) if (await asRoot(prefix, [name, ...manager.install, pack])) return true;
    return false;
  });
  if (!installed)
    throw new Fault(
      `${name} could not install a Redis server, for the reason above; ${lowerFirst(byHand(null))}`,
    );
}

/** What goes before a command that needs root; null where this user may not. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (whereIs('sudo') === null) return null;
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

async function asRoot(prefix, command) {
  const [program, ...args] = [...prefix, ...command];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const [status] = await once(child, 'exit');
  return status === 0;
}

function byHand(manager) {
  const command = manager
    ? `type "${manager.asUser ? '' : 'sudo '}${manager.name} ${manager.install.filter((word) => !word.startsWith('-q')).join(' ')} ${manager.packages[0]}"`
    : `install redis-server or valkey-server, version ${LEAST_VERSION} or later`;
  return `A Redis server is needed: ${command}, or set REDIS_URL to one that runs elsewhere.`;
}

const lowerFirst = (text) => text.charAt(0).toLowerCase() + text.slice(1);

function whereIs(program) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder || '.', program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}
