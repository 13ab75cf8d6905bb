import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config/config.js';
import { TallyError } from '../kernel/errors.js';

/** What every answer tells a browser, unless the page itself says more. */
export function secureHeaders(server: FastifyInstance, config: Config): void {
  const overTls = config.publicUrl.startsWith('https://');
  server.addHook('onSend', (_request, reply, payload, next) => {
    const defaults: Record<string, string> = {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "frame-ancestors 'none'",
      ...(overTls && { 'strict-transport-security': 'max-age=31536000' }),
    };
    for (const [name, value] of Object.entries(defaults)) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
    next(null, payload);
  });
}

/**
 * A browser sends the HTTP Basic key of the queue pages along with every request to them, also with one that another
 * site's page makes; those may look at nothing here and change nothing. Throws FORBIDDEN.
 */
export function refuseOtherSites({ headers, method }: FastifyRequest): void {
  const from = headers['sec-fetch-site'];
  const foreign = from === 'cross-site' || from === 'same-site';
  const navigates = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
  if (foreign && !navigates)
    throw new TallyError('FORBIDDEN', 'another site may not act here; open the page itself');
}

/** A worker has a port for its health (and metrics), and nothing else behind it. */
export function serveHealthAlone(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, next) => {
    const path = request.url.split('?')[0] ?? '';
    if (path.startsWith('/health/') || path === '/metrics') return next();
    const message = 'this instance only runs jobs; ask one whose ROLE is api or all';
    void reply.status(404).send({ error: { code: 'NOT_FOUND', message } });
  });
}
