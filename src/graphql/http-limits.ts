import type { ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLError, OperationTypeNode } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { TallyError, isTallyError } from '../kernel/errors.js';
import { refuseTooMuch } from './query-limits.js';

export type ApolloPlugin = NonNullable<ApolloDriverConfig['plugins']>[number];

/** Not a validation rule: what a page costs depends on the variables, and validated documents are cached without them. */
export const httpLimits: ApolloPlugin = {
  requestDidStart: () =>
    Promise.resolve({
      // What is wrong with the variables of a request; what its fields were refused with stands beside their data.
      willSendResponse: ({ response: { body } }) => {
        if (body.kind === 'single' && !body.singleResult.data && body.singleResult.errors)
          body.singleResult.errors = body.singleResult.errors.slice(0, BOUNDS.faults);
        return Promise.resolve();
      },
      didResolveOperation: ({ schema, document, operation, request }) => {
        try {
          if (operation?.operation === OperationTypeNode.SUBSCRIPTION) throw overHttp();
          if (operation) refuseTooMuch(schema, document, operation, request.variables);
          return Promise.resolve();
        } catch (error) {
          return Promise.reject(isTallyError(error) ? asRequestError(error) : error);
        }
      },
    }),
};

function overHttp(): TallyError {
  return new TallyError(
    'BAD_USER_INPUT',
    'subscriptions travel over a WebSocket; connect to this path with the protocol graphql-transport-ws',
  );
}

function asRequestError(originalError: Error): GraphQLError {
  return new GraphQLError(originalError.message, { originalError, extensions: { http: { status: 400 } } });
}
