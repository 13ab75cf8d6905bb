import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Clock } from '../kernel/clock.js';
import { isErrno, StartFault } from '../kernel/start-fault.js';

export const CONF_FILE = 'redis.conf';
export const PID_FILE = 'redis.pid';
export const LOG_FILE = 'redis.log';

const END_LIMIT_MS = 10_000;
/** A process that has the number but not the port is on its way out for so long, or somebody else's. */
const WAY_OUT_MS = 5_000;
const ANSWER_LIMIT_MS = 2_000;
const LOOK_EVERY_MS = 50;

interface Where {
  readonly folder: string;
  readonly password: string;
  readonly clock: Clock;
}

/**
 * Ends the server of an earlier run that is still there, after a launcher that was killed: two servers on one
 * append-only file would ruin it. It is known by the password that was made for this folder.
 */
export async function endLeftover({ folder, password, clock }: Where): Promise<void> {
  const port = numberIn(/^port (\d+)$/m, await readIfThere(join(folder, CONF_FILE)));
  const pid = numberIn(/^(\d+)\s*$/m, await readIfThere(join(folder, PID_FILE)));
  if (port === null || pid === null || !isRunning(pid)) return;
  const answer = await tellToEnd(port, password);
  const until = clock.now() + (answer === 'not ours' ? WAY_OUT_MS : END_LIMIT_MS);
  while (isRunning(pid) && clock.now() < until) await clock.sleep(LOOK_EVERY_MS);
  if (answer !== 'not ours' && isRunning(pid)) {
    throw new StartFault(
      `The Redis server of an earlier run (process ${pid}) does not end: end it with "kill -9 ${pid}", and start again.`,
    );
  }
}

/** `silent`: somebody is there and says nothing, which may well be ours. */
async function tellToEnd(port: number, password: string): Promise<'told' | 'silent' | 'not ours'> {
  const redis = new Redis(port, '127.0.0.1', {
    password,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    commandTimeout: ANSWER_LIMIT_MS,
    connectTimeout: ANSWER_LIMIT_MS,
  });
  let refused = false;
  redis.on('error', (error) => (refused ||= /ECONNREFUSED|WRONGPASS|NOAUTH/.test(error.message)));
  try {
    await redis.connect();
    await redis.info('server');
    // The answer to it is the end of the connection, which ioredis gives as an error.
    await redis.call('SHUTDOWN').catch((error: Error) => error);
    return 'told';
  } catch (error) {
    refused ||= error instanceof Error && /ECONNREFUSED|WRONGPASS|NOAUTH|Protocol error/.test(error.message);
    return refused ? 'not ours' : 'silent';
  } finally {
    redis.disconnect();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    if (isErrno(error, 'EPERM')) return true;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

function numberIn(pattern: RegExp, text: string): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
