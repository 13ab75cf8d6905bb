import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BOUNDS } from '../kernel/bounds.js';
import { ERROR_TABLE, type ErrorCode, TallyError } from '../kernel/errors.js';

/** How an error looks outside GraphQL: the status and the contract's body. */
export interface HttpError {
  readonly status: number;
  readonly body: {
    readonly error: {
      readonly code: ErrorCode;
      readonly message: string;
      readonly recordingId?: string;
      readonly roomId?: string;
      readonly field?: string;
      readonly retryAfter?: number;
    };
  };
}

/** What the web server itself refuses, by status; the codes are the nearest of the contract's closed table. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  416: 'RANGE_NOT_SATISFIABLE',
  429: 'RATE_LIMITED',
};
const WORDS_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'the request is not well formed',
  404: 'there is nothing at this path',
  408: 'the request did not arrive in time',
  413: 'the request body is too large',
  414: 'the path is too long',
  415: 'this content type is not understood here',
  431: 'the headers of the request are too large',
  503: 'this instance is shutting down; ask another one',
};

export function toHttpError(exception: unknown): HttpError {
  if (exception instanceof TallyError) {
    return {
      status: ERROR_TABLE[exception.code].http,
      body: {
        error: {
          code: exception.code,
          message: exception.message.slice(0, BOUNDS.message),
          ...exception.subject,
        },
      },
    };
  }
  const status = statusOf(exception);
  if (status === null || (status >= 500 && status !== 503)) {
    return { status: 500, body: { error: { code: 'INTERNAL', message: 'something went wrong here' } } };
  }
  const code = CODE_BY_STATUS[status] ?? (status === 503 ? 'INTERNAL' : 'BAD_USER_INPUT');
  const message = WORDS_BY_STATUS[status] ?? 'the request can not be answered as it is';
  return { status, body: { error: { code, message } } };
}

/** Says in the head as well when to come back, where the refusal says so. */
export function retryAfter(reply: FastifyReply, { error }: HttpError['body']): void {
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter));
}

/** Fastify's own refusals carry a `statusCode`, Nest's an HttpException. */
function statusOf(exception: unknown): number | null {
  if (exception instanceof HttpException) return exception.getStatus();
  if (!(exception instanceof Error) || !('statusCode' in exception)) return null;
  const { statusCode } = exception;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : null;
}

/** Every error of an HTTP request ends here; those of GraphQL pass on to where GraphQL words them. */
@Catch()
export class HttpErrors implements ExceptionFilter {
  private readonly log = new Logger('Http');

  catch(exception: unknown, host: ArgumentsHost): void {
    if (host.getType<string>() !== 'http') throw exception;
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { status, body } = toHttpError(exception);
    this.tell(exception, status, body.error.code, reply);
    if (reply.raw.headersSent || reply.sent) {
      // A body that broke off half way must not look complete.
      reply.raw.destroy();
      return;
    }
    if (status === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', 'Bearer');
    retryAfter(reply, body);
    void reply.status(status).send(body);
  }

  private tell(exception: unknown, status: number, code: ErrorCode, reply: FastifyReply): void {
    const level = ERROR_TABLE[code].log;
    const { method, url } = reply.request;
    const event = { message: 'request refused', method, path: url.split('?')[0], status, code };
    const cause = exception instanceof TallyError ? exception.cause : exception;
    this.log[level === 'info' ? 'log' : level]({ ...event, ...(level !== 'debug' && { err: cause }) });
  }
}
