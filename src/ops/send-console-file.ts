import type { FastifyReply } from 'fastify';
import type { ConsoleFile } from './console-files.js';

/** Sends a page or an asset with its security headers; 304 where the browser has it, 404 with a sentence where there is none. */
export function sendConsoleFile(reply: FastifyReply, file: ConsoleFile | null): void {
  void reply.headers({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  });
  if (file === null) {
    const message =
      'this page is not here; if it is the console that is missing, build it with "npm run build"';
    void reply.status(404).send({ error: { code: 'NOT_FOUND', message } });
    return;
  }
  const { headers } = reply.request;
  void reply.headers({
    'content-security-policy': file.contentSecurityPolicy,
    'cache-control': file.cacheControl,
    etag: file.etag,
    vary: 'accept-encoding',
  });
  if (headers['if-none-match'] === file.etag) {
    void reply.status(304).send();
    return;
  }
  const zipped = /\bgzip\b/.test(headers['accept-encoding'] ?? '');
  if (zipped) void reply.header('content-encoding', 'gzip');
  void reply.type(file.type).send(zipped ? file.gzipped : file.bytes);
}
