import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SystemClock } from '../kernel/clock.js';

const LONGEST_MS = 2_000;
/** A body comes over a real wire, whatever time it is for the rest. */
const WIRE = new SystemClock();

/**
 * A request that is refused before its body was read, on a connection that closes with the answer: what is still coming
 * makes the system throw away the answer with the connection. So the answer is sent whole at once, and the connection
 * closed when the body has come, or takes too long.
 */
export function outlastBodies(server: FastifyInstance): void {
  // The last to see what is sent: whoever words a refusal does so before.
  server.addHook('onRoute', (route) => {
    route.onSend = [...[route.onSend ?? []].flat(), outlast];
  });
  server.addHook('onSend', async (request, reply, payload) =>
    request.is404 ? outlast(request, reply, payload) : payload,
  );
}

async function outlast({ raw }: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (typeof payload !== 'string' || raw.complete || !hasBody(raw) || !closes(reply)) return payload;
  reply.header('content-length', Buffer.byteLength(payload));
  return Readable.from(withTheRest(payload, raw), { objectMode: false });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function closes(reply: FastifyReply): boolean {
  return !reply.raw.shouldKeepAlive || reply.getHeader('connection') === 'close';
}

async function* withTheRest(answer: string, body: IncomingMessage): AsyncGenerator<Buffer> {
  yield Buffer.from(answer);
  const over = new AbortController();
  const end = (): void => over.abort();
  body.once('end', end).once('close', end).resume();
  if (!body.complete) await WIRE.sleep(LONGEST_MS, over.signal).catch(() => undefined);
}
