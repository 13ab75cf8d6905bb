import { Injectable, Logger } from '@nestjs/common';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { ERROR_TABLE, TallyError } from '../kernel/errors.js';
import { inputFieldOf } from './input-field.js';

/** The only place where an error gets the form in which a GraphQL client sees it, over HTTP and WebSocket alike. */
@Injectable()
export class GraphqlErrors {
  private readonly log = new Logger('GraphQL');
  /** One failed read shows at every field that waited for it. */
  private readonly told = new WeakSet<object>();

  toClient(error: GraphQLError): GraphQLFormattedError {
    const refusal = toRefusal(error);
    this.tell(refusal, error);
    return {
      message: refusal.message.slice(0, BOUNDS.message),
      ...(error.locations && { locations: error.locations }),
      ...(error.path && { path: error.path }),
      extensions: toExtensions(refusal),
    };
  }

  /** The log's line, at the level that the error table names. */
  private tell(refusal: TallyError, error: GraphQLError): void {
    const key = error.originalError ?? error;
    if (this.told.has(key)) return;
    this.told.add(key);
    const { log: level } = ERROR_TABLE[refusal.code];
    this.log[level === 'info' ? 'log' : level]({
      message: 'graphql operation refused',
      code: refusal.code,
      ...(error.path && { path: error.path.join('.') }),
      ...refusal.subject,
      ...(level !== 'debug' && causeOf(refusal)),
    });
  }
}

/** A fault of ours with its stack; a refusal in words, since where it was thrown tells nothing. */
function causeOf(refusal: TallyError): Record<string, unknown> {
  const { cause } = refusal;
  if (refusal.code === 'INTERNAL') return { err: cause ?? refusal };
  return { reason: refusal.message, ...(cause instanceof Error && { cause: cause.message }) };
}

/** For what is thrown by something that is not graphql-js. */
export function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

function toExtensions({ code, subject }: TallyError): Record<string, unknown> {
  return { code, ...subject };
}

function toRefusal(error: GraphQLError): TallyError {
  const origin = originOf(error);
  if (origin instanceof TallyError) return origin;
  if (origin instanceof GraphQLError && isOfRequest(error, origin)) {
    return new TallyError('BAD_USER_INPUT', error.message, { field: inputFieldOf(error) ?? undefined });
  }
  return new TallyError('INTERNAL', 'something went wrong here; it has been logged', { cause: origin });
}

/**
 * graphql-js raises the same class for a request that it can't read and for an answer of ours that it can't write.
 * The former have no path, or point into the document; the latter are known by neither.
 */
function isOfRequest(error: GraphQLError, origin: GraphQLError): boolean {
  return error.path === undefined || (origin.nodes !== undefined && origin.nodes.length > 0);
}

function originOf(error: GraphQLError): Error {
  let origin: Error = error;
  while (origin instanceof GraphQLError && origin.originalError) origin = origin.originalError;
  return origin;
}
