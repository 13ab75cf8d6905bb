import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { isErrno, StartFault } from '../kernel/start-fault.js';

const SOCKET = 'running.sock';

/**
 * Two stacks on one folder would be two Redis servers on one append-only file. The owner listens on a socket in it:
 * unlike a file with a process id, that ends with its process, however it ends. Answers how to give it up.
 */
export async function beTheOnlyOne(folder: string): Promise<() => Promise<void>> {
  await refuseSecond(folder);
  const path = join(folder, SOCKET);
  await rm(path, { force: true });
  const server = createServer((socket) => socket.destroy());
  server.listen(path);
  await once(server, 'listening');
  server.unref();
  return () => close(server);
}

/** Throws StartFault where another stack runs on the folder. */
export async function refuseSecond(folder: string): Promise<void> {
  if (!(await answers(join(folder, SOCKET)))) return;
  throw new StartFault(
    `Tallylight is running in this folder already: end it (Ctrl-C where it runs) before you start it again.`,
  );
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ENOTSOCK')) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
