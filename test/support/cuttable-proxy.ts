import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** One address for changing instances, with a cable that can be pulled. */
export interface CuttableProxy {
  readonly url: string;
  /** Ends all connections; new ones are refused until `join`. */
  cut(): void;
  /** From now on connections lead to this server. */
  join(url: string): void;
  /** The next request that holds this text reaches the server, and its connection ends before the answer is through. */
  loseAnswerTo(text: string): void;
  /** How many answers were lost so far. */
  readonly lost: number;
  close(): Promise<void>;
}

/** The server has answered what came before on the same connection by then, and carried out the request itself. */
const SETTLE_MS = 30;

export async function startCuttableProxy(first: string): Promise<CuttableProxy> {
  let target: URL | null = new URL(first);
  const sockets = new Set<Socket>();
  const losing: string[] = [];
  let lost = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // An error is followed by a close, which the other side is told by its own end.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((near) => {
    keep(near);
    if (target === null) return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    keep(far);
    near.on('data', (chunk) => {
      const at = losing.findIndex((text) => chunk.includes(text));
      if (at === -1) return;
      losing.splice(at, 1);
      lost += 1;
      far.unpipe(near);
      far.once('data', () => setTimeout(() => near.destroy(), SETTLE_MS)).resume();
    });
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    return near;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const cut = (): void => {
    target = null;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    join: (url) => {
      target = new URL(url);
    },
    loseAnswerTo: (text) => losing.push(text),
    get lost() {
      return lost;
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
