import type { ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLError } from 'graphql';
import { isTallyError } from '../kernel/errors.js';
import { refuseTooMuch } from './query-limits.js';

type ApolloPlugin = NonNullable<ApolloDriverConfig['plugins']>[number];

/** Not a validation rule: what a page costs depends on the variables, and validated documents are cached without them. */
export const httpLimits: ApolloPlugin = {
  requestDidStart: () =>
    Promise.resolve({
      didResolveOperation: ({ schema, document, operation, request }) => {
        try {
          if (operation) refuseTooMuch(schema, document, operation, request.variables);
          return Promise.resolve();
        } catch (error) {
          return Promise.reject(isTallyError(error) ? asRequestError(error) : error);
        }
      },
    }),
};

function asRequestError(originalError: Error): GraphQLError {
  return new GraphQLError(originalError.message, { originalError, extensions: { http: { status: 400 } } });
}
