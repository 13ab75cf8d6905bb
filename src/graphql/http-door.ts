import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendAsyncHookHandler } from 'fastify';
import { Credentials } from '../auth/credentials.js';
import { Config } from '../config/config.js';
import { BOUNDS } from '../kernel/bounds.js';
import { parseUrl } from '../kernel/url.js';
import { ERROR_TABLE, TallyError, isTallyError } from '../kernel/errors.js';
import type { GraphqlContext } from './graphql-context.js';
import { refuseDeepNesting } from './nesting.js';
import { WaitingAnswers } from './waiting-answers.js';
import { GraphqlErrors, asGraphqlError } from './graphql-errors.js';

export const GRAPHQL_PATH = '/graphql';

/** Where the console is built to, seen from src/graphql and dist/graphql alike; absent where it was not built. */
const GRAPHIQL_PAGE = join(__dirname, '..', '..', 'dist', 'console', 'graphiql.html');

/** Lets nobody in without a credential, before a body is read or anything is executed. */
@Injectable()
export class HttpDoor {
  private readonly contexts = new WeakMap<FastifyRequest, GraphqlContext>();
  private readonly page: string | null;

  constructor(
    private readonly credentials: Credentials,
    private readonly errors: GraphqlErrors,
    private readonly waiting: WaitingAnswers,
    config: Config,
  ) {
    this.page = config.development && existsSync(GRAPHIQL_PAGE) ? readFileSync(GRAPHIQL_PAGE, 'utf8') : null;
  }

  /** Before the route is made: it then bears the door. */
  install(server: FastifyInstance): void {
    server.addHook('onRoute', (route) => {
      if (route.url !== GRAPHQL_PATH) return;
      route.bodyLimit = BOUNDS.graphqlBytes;
      route.onRequest = (request: FastifyRequest, reply: FastifyReply) => this.enter(request, reply);
      // Not in a plugin: Apollo takes what one throws before it has parsed for a fault of the server.
      route.preValidation = async (request: FastifyRequest) => {
        for (const { query } of [Object(request.body), Object(request.query)] as { query?: unknown }[]) {
          if (typeof query === 'string') refuseDeepNesting(query);
        }
      };
      const count: onSendAsyncHookHandler = async (request, reply, payload) =>
        this.counted(request, reply, this.bounded(reply, payload));
      route.onSend = [count, ...[route.onSend ?? []].flat()];
      route.errorHandler = (error: Error & { statusCode?: number }, _request, reply) =>
        this.refuse(reply, toRequestError(error), error.statusCode);
    });
  }

  /** The context of a request that came in by this door. */
  contextOf(request: FastifyRequest): GraphqlContext {
    const context = this.contexts.get(request);
    if (!context) throw new Error('a request reached GraphQL beside the door');
    return context;
  }

  private async enter(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    void reply.header('cache-control', 'no-store');
    // Apollo's integration makes an address of it.
    if (parseUrl(`http://${request.hostname}/`) === null) {
      throw new TallyError('BAD_USER_INPUT', 'the request names no host; send a Host header');
    }
    if (this.page !== null && wantsPage(request)) {
      await reply.type('text/html; charset=utf-8').send(this.page);
      return;
    }
    const actor = await this.credentials.authenticate(request.headers.authorization, request.ip);
    this.contexts.set(request, { actor });
    if (request.method === 'POST' && !isJson(request.headers['content-type'])) {
      throw Object.assign(new Error('another content type'), { statusCode: 415 });
    }
  }

  /** What one operation asks for is bounded by what it costs; this is for what no count can foresee. */
  private bounded(reply: FastifyReply, payload: unknown): unknown {
    if (typeof payload !== 'string' || payload.length <= BOUNDS.answerBytes) return payload;
    const error = this.errors.toClient(asGraphqlError(tooLarge()));
    reply.status(400).removeHeader('content-length');
    return JSON.stringify({ errors: [error] });
  }

  /** As long as its reader has not taken it. */
  private counted(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    if (typeof payload !== 'string') return payload;
    const [response, { socket }] = [reply.raw, request.raw];
    const reader = { cut: () => void socket.destroy() };
    const release = (): void => {
      response.off('close', release);
      socket.off('close', release);
      this.waiting.taken(reader, payload.length);
    };
    response.once('close', release);
    // Of answers that wait behind another one on their connection nothing else tells.
    socket.once('close', release);
    this.waiting.add(reader, payload.length);
    return payload;
  }

  /** Readable for a client of GraphQL and for one of HTTP. */
  private refuse(reply: FastifyReply, refusal: TallyError, status?: number): void {
    const error = this.errors.toClient(asGraphqlError(refusal));
    const { code, message } = refusal;
    const { retryAfter } = refusal.subject;
    if (code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
    if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
    void reply.status(status ?? ERROR_TABLE[code].http).send({ errors: [error], error: { code, message } });
  }
}

export function tooLarge(): TallyError {
  return new TallyError(
    'BAD_USER_INPUT',
    `the answer would have more than ${BOUNDS.answerBytes / 1024 / 1024} MiB; ask for less at once`,
  );
}

/** A form of another page is no JSON, nor is a batch of parts. */
function isJson(contentType: string | undefined): boolean {
  const [type = ''] = (contentType ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/json';
}

function wantsPage(request: FastifyRequest): boolean {
  return request.method === 'GET' && /\btext\/html\b/.test(request.headers.accept ?? '');
}

/** What the web server itself refuses is the request's fault: a body that is no JSON, too large, of another type. */
function toRequestError(error: Error & { statusCode?: number }): TallyError {
  if (isTallyError(error)) return error;
  const { statusCode } = error;
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
    ? new TallyError('BAD_USER_INPUT', WORDS[statusCode] ?? 'the request is not well formed', {
        cause: error,
      })
    : new TallyError('INTERNAL', 'something went wrong here; it has been logged', { cause: error });
}

const WORDS: Readonly<Record<number, string>> = {
  400: 'the body is no JSON; send {"query": "…", "variables": {…}}',
  413: 'the body is too large; ask for less at once',
  415: 'the body must be application/json',
};
