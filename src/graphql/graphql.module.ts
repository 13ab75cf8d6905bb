import { join } from 'node:path';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { type DynamicModule, Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { FastifyRequest } from 'fastify';
import { GraphqlErrors, asGraphqlError } from './graphql-errors.js';
import { GraphqlDriver } from './graphql-driver.js';
import { GRAPHQL_PATH, HttpDoor } from './http-door.js';
import { type ApolloPlugin, httpLimits } from './http-limits.js';
import { watchOperations } from './operation-watch.js';
import { BOUNDS } from '../kernel/bounds.js';
import { scalarResolvers } from './scalars.js';
import { WaitingAnswers } from './waiting-answers.js';
import { WebSocketDoor } from './websocket-door.js';

/** Every module's part of the schema, beside its resolvers. */
export const TYPE_PATHS: readonly string[] = [join(__dirname, '..', '**', '*.graphql')];

@Module({
  providers: [GraphqlErrors, WaitingAnswers, HttpDoor, WebSocketDoor],
  exports: [GraphqlErrors, HttpDoor, WebSocketDoor],
})
class GraphqlDoors {}

/** The schema that all modules make together, served over HTTP and WebSocket at one path. */
@Module({})
export class GraphqlModule {
  static serving(typePaths: readonly string[] = TYPE_PATHS): DynamicModule {
    return {
      module: GraphqlModule,
      imports: [
        GraphQLModule.forRootAsync<ApolloDriverConfig>({
          driver: GraphqlDriver,
          imports: [GraphqlDoors],
          inject: [GraphqlErrors, HttpDoor],
          useFactory: (errors: GraphqlErrors, door: HttpDoor) => toOptions(typePaths, errors, door),
        }),
      ],
    };
  }
}

function toOptions(typePaths: readonly string[], errors: GraphqlErrors, door: HttpDoor): ApolloDriverConfig {
  return {
    path: GRAPHQL_PATH,
    typePaths: [...typePaths],
    resolvers: scalarResolvers,
    context: (request: FastifyRequest) => door.contextOf(request),
    formatError: (_formatted, error) => errors.toClient(asGraphqlError(error)),
    // Apollo's own asks of every field how long it may be kept; no answer may, which the door says.
    plugins: [ApolloServerPluginCacheControlDisabled() as ApolloPlugin, watchOperations, httpLimits],
    parseOptions: { maxTokens: BOUNDS.tokens },
    validationOptions: { maxErrors: BOUNDS.faults },
    // Whoever may ask at all may ask what there is to ask for.
    introspection: true,
    // A forged request of another site carries no credential: ours is in a header that only a script of our own page,
    // or of a site the browser asked us about first, can set. So a plain GET needs no preflight either.
    csrfPrevention: false,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    autoTransformHttpErrors: false,
    graphiql: false,
    // Apollo stops by closing the web server: not before requests under way have had their time.
    stopOnApplicationShutdown: true,
    // The process has one way to stop, and it is not Apollo's.
    stopOnTerminationSignals: false,
  };
}
