import type { Server } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { FastifyInstance } from 'fastify';
import { Config } from '../config/config.js';
import { Sealing } from '../kernel/sealing.js';
import { HttpDoor } from './http-door.js';
import { sealCursors } from './sealed-cursors.js';
import { WebSocketDoor } from './websocket-door.js';

/**
 * Apollo behind our own doors. Nest's WebSocket server is not used: it bounds no message and leaves an upgrade for
 * any other path open for ever.
 */
@Injectable()
export class GraphqlDriver extends ApolloDriver {
  constructor(
    modules: ModulesContainer,
    private readonly httpDoor: HttpDoor,
    private readonly webSocketDoor: WebSocketDoor,
    private readonly config: Config,
  ) {
    super(modules);
  }

  override async start(options: ApolloDriverConfig): Promise<void> {
    const { httpAdapter } = this.httpAdapterHost;
    this.httpDoor.install(httpAdapter.getInstance<FastifyInstance>());
    const { schema } = options;
    if (!schema) throw new Error('GraphQL was started without a schema');
    sealCursors(schema, new Sealing(this.config.secrets, 'cursors'));
    await super.start(options);
    this.webSocketDoor.open(httpAdapter.getHttpServer() as Server, schema);
  }
}
