import { createServer, request as ask } from 'node:http';
import { once } from 'node:events';

/** One request that went through, with the size of its answer. */
export interface MeteredRequest {
  /** `Egress/ListEgress`. */
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly answerBytes: number;
  /** When its answer was through, by `performance.now()`. */
  readonly endedAt: number;
}

/** A LiveKit behind a meter. */
export interface MeteredProxy {
  readonly url: string;
  /** In the order in which they were answered. */
  readonly requests: readonly MeteredRequest[];
  close(): Promise<void>;
}

export async function startMeteredProxy(target: string): Promise<MeteredProxy> {
  const { hostname, port } = new URL(target);
  const requests: MeteredRequest[] = [];
  const server = createServer((near, response) => {
    const chunks: Buffer[] = [];
    near.on('data', (chunk: Buffer) => chunks.push(chunk));
    near.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method, url, headers } = near;
      const far = ask({ hostname, port, method, path: url, headers }, (answer) => {
        let answerBytes = 0;
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('data', (chunk: Buffer) => (answerBytes += chunk.length));
        answer.pipe(response);
        response.on('close', () =>
          requests.push({
            method: (url ?? '').replace('/twirp/livekit.', ''),
            body: parsed(body),
            answerBytes,
            endedAt: performance.now(),
          }),
        );
      });
      far.on('error', () => response.destroy());
      response.on('close', () => far.destroy());
      far.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function parsed(body: Buffer): Record<string, unknown> {
  return body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, unknown>);
}
