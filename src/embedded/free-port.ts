import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
  const port = await listenOnce({ host: '127.0.0.1', port: 0 });
  return port;
}

/** Listens there for a moment and answers the port. Rejects as a server would that comes later. */
export async function listenOnce(where: { host: string; port: number }): Promise<number> {
  const server = createServer();
  server.listen(where);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
