import { ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { toHttpError } from './http-errors.js';

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What the router refuses before any route is found, as a path that is no URL. */
export function refuseUnrouted(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = toHttpError(error);
  void reply.status(status).send(body);
}

/** What is no HTTP request at all is answered on the bare connection, which then ends. */
export function refuseUnread(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // A fault in the body of a request that is being answered: a second answer would be taken for that of the next request.
  if (isAnswering(socket)) return void socket.destroySoon();
  const refusal = Object.assign(new Error(error.message), { statusCode: STATUS_BY_CODE[error.code] ?? 400 });
  const { status, body } = toHttpError(refusal);
  if (socket.writable) socket.write(rawAnswer(status, JSON.stringify(body)));
  socket.destroy(error);
}

/** What Node's own handler of such faults looks at as well. */
function isAnswering(socket: Socket): boolean {
  return (
    '_httpMessage' in socket &&
    socket._httpMessage instanceof ServerResponse &&
    socket._httpMessage.headersSent
  );
}

function rawAnswer(status: number, body: string): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
