import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter as BoardAdapter } from '@bull-board/fastify';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { authenticateBasicOrBearer, BASIC_CHALLENGE } from '../auth/basic.js';
import { Credentials } from '../auth/credentials.js';
import { Config } from '../config/config.js';
import { TallyError } from '../kernel/errors.js';
import { parseUrl, withoutSlashes } from '../kernel/url.js';
import { type QueueName, QUEUES } from '../queue/queue-definitions.js';
import { Queues } from '../queue/queues.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { redisFailure } from '../redis/redis-failure.js';
import { refuseOtherSites } from './door.js';
import { retryAfter, toHttpError } from './http-errors.js';
import { jobTitle } from './job-title.js';

export const QUEUES_PATH = '/admin/queues';

/** The board's page names a font on a server that may be out of reach, which would keep the page waiting. */
const FOREIGN_STYLE = /<link href="https:[^>]*>/g;
/** Nothing is loaded from elsewhere, whatever a newer board may ask for. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
].join('; ');

/** The board over every queue, its page, files and API alike for an ADMIN alone. */
@Injectable()
export class QueuesUi implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly credentials: Credentials,
    private readonly queues: Queues,
    private readonly redis: RedisConnections,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (this.config.queuesUi === 'off') return;
    const server = this.host.httpAdapter.getInstance() as FastifyInstance;
    const board = this.makeBoard();
    // Not awaited: that would make Fastify boot at once, before Nest has told it who words the errors of all routes.
    void server.register(
      async (scope) => {
        scope.addHook('onRequest', async (request, reply) => {
          reply.header('cache-control', 'no-store');
          reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
          try {
            refuseOtherSites(request);
            await authenticateBasicOrBearer(this.credentials, request, 'look at the queues');
            if (this.config.queuesUi === 'read') refuseChanges(request);
            if (request.routeOptions.url?.startsWith(`${QUEUES_PATH}/api/`)) await this.askRedis();
          } catch (error) {
            return refuse(reply, error);
          }
        });
        scope.addHook('onSend', async (_request, reply, payload) => {
          if (typeof payload !== 'string') return payload;
          if (reply.statusCode >= 400) return inOurWords(reply, payload);
          const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
          return isPage ? payload.replace(FOREIGN_STYLE, '') : payload;
        });
        await scope.register(board.registerPlugin());
      },
      { prefix: QUEUES_PATH },
    );
  }

  private makeBoard(): BoardAdapter {
    const board = new BoardAdapter();
    // As the browser has it: a proxy may have taken a part of the path away.
    board.setBasePath(
      `${withoutSlashes(parseUrl(this.config.publicUrl)?.pathname ?? '', false)}${QUEUES_PATH}`,
    );
    createBullBoard({
      queues: this.queues.all.map((queue) => {
        const adapter = new BullMQAdapter(queue, {
          description: QUEUES[queue.name as QueueName].about,
          readOnlyMode: this.config.queuesUi === 'read',
        });
        adapter.setFormatter('name', (job: { name: string; data: unknown }) => jobTitle(job.name, job.data));
        return adapter;
      }),
      serverAdapter: board,
      options: { uiConfig: { boardTitle: 'Tallylight queues', hideRedisDetails: false } },
    });
    board.setErrorHandler((error) => {
      const { status, body } = toHttpError(redisFailure(error));
      return { status: status as 500, body };
    });
    return board;
  }

  /** The queues' own connection waits for a Redis that is away, which a page should not. */
  private async askRedis(): Promise<void> {
    await this.redis.run((redis) => redis.ping());
  }
}

/** Throws FORBIDDEN. */
function refuseChanges({ method }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD') return;
  throw new TallyError('FORBIDDEN', 'the queues can only be looked at; QUEUES_UI=write allows changes');
}

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, body } = toHttpError(error);
  if (status === 401) reply.header('www-authenticate', BASIC_CHALLENGE);
  retryAfter(reply, body);
  return reply.status(status).send(body);
}

/** What the board refuses by itself has a form of its own. */
function inOurWords(reply: FastifyReply, payload: string): string {
  if (payload.startsWith('{"error":{"code":')) return payload;
  const { status, body } = toHttpError(Object.assign(new Error(payload), { statusCode: reply.statusCode }));
  reply.status(status).type('application/json; charset=utf-8').removeHeader('content-length');
  return JSON.stringify(body);
}
