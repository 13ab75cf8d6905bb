import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Credentials } from '../auth/credentials.js';
import { requireRight } from '../auth/rights.js';
import { TallyError } from '../kernel/errors.js';
import { retryAfter, toHttpError } from '../ops/http-errors.js';
import { type Demo, DEMO_ACTIONS } from './demo.js';

/**
 * What the console's demo page asks: `GET /demo/lights`, and `POST /demo/<action>`, with `?on=false` to take it back. For
 * an ADMIN of every room, as a bearer; there only where `npm start` opened it.
 */
export function openDemoDoor(app: NestFastifyApplication, demo: Demo): void {
  const server = app.getHttpAdapter().getInstance() as FastifyInstance;
  const credentials = app.get(Credentials, { strict: false });
  const log = new Logger('Demo');

  const asAdmin = async (
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<void>,
  ): Promise<FastifyReply> => {
    reply.header('cache-control', 'no-store');
    try {
      const actor = await credentials.authenticate(request.headers.authorization, request.ip);
      requireRight(actor, 'administer', 'every-room', 'break the embedded parts');
      await work();
      return reply.send({ lights: demo.lights() });
    } catch (error) {
      const { status, body } = toHttpError(error);
      if (status === 500) log.error({ event: 'demo_failed', message: 'a demo action failed', err: error });
      if (status === 401) reply.header('www-authenticate', 'Bearer');
      retryAfter(reply, body);
      return reply.status(status).send(body);
    }
  };

  server.get('/demo/lights', (request, reply) => asAdmin(request, reply, async () => undefined));
  server.post<{ Params: { action: string }; Querystring: { on?: string } }>(
    '/demo/:action',
    (request, reply) =>
      asAdmin(request, reply, async () => {
        const action = DEMO_ACTIONS.find((name) => name === request.params.action);
        if (!action || !demo.canDo(action)) {
          throw new TallyError('NOT_FOUND', 'there is no such demo action in this stack');
        }
        const on = request.query.on !== 'false';
        log.log({
          event: 'demo_action',
          message: `on request: ${action}${on ? '' : ', taken back'}`,
          action,
          on,
        });
        await demo.perform(action, on);
      }),
  );
}
