// What `npm start` and `npm test` do first: whatever is missing on this machine is made, and what is there is left alone.
// Nothing but Node itself is there yet, so nothing but Node itself is used.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as util from 'node:util';
import { build, isBuilt } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { findRedisServer, installRedisServer } from './redis.mjs';
import { Fault, timed } from './say.mjs';

const LEAST_NODE = [20, 19];

/** Answers the path of a Redis server, or null where none is needed. What does not wait for each other is done side by side. */
export async function setUp({ needsRedis }) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  checkNode();
  const needed = needsRedis();
  const there = needed ? findRedisServer() : null;
  const [redisServer, built] = await Promise.allSettled([
    needed && there === null ? installRedisServer() : there,
    ensureDependencies().then(ensureBuilt),
  ]);
  for (const { reason } of [redisServer, built]) if (reason) throw reason;
  return redisServer.value;
}

async function ensureBuilt() {
  if (!isBuilt()) await timed('Building the server and the console', () => build());
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new Fault(
    `This is Node ${process.versions.node}, and Tallylight needs ${LEAST_NODE.join('.')} or later: install it from https://nodejs.org.`,
  );
}

/** A variable's value, from the environment or else from .env; null when it is not set, or empty. */
export function variable(name) {
  const inFile = existsSync('.env') ? (util.parseEnv?.(readFileSync('.env', 'utf8')) ?? {}) : {};
  return process.env[name] || inFile[name] || null;
}
