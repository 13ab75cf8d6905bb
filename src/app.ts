import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { Instance } from './config/instance.js';
import { BOUNDS } from './kernel/bounds.js';
import type { Clock } from './kernel/clock.js';
import { Drain } from './ops/drain.js';
import { createLogger } from './ops/logger.js';
import { Metrics } from './ops/metrics.js';
import { Tracing } from './ops/tracing.js';
import { refuseUnread, refuseUnrouted } from './ops/unrouted.js';
import { outlastBodies } from './ops/unread-bodies.js';
import { secureHeaders, serveHealthAlone } from './ops/door.js';

export interface AppOptions {
  readonly clock?: Clock;
  /** Where the log goes; standard output unless a test reads it. */
  readonly logTo?: DestinationStream;
}

/**
 * The whole application in one role, ready to listen. It starts, and serves what it can, also while Redis, the
 * storage or LiveKit is away.
 */
export async function createApp(
  config: Config,
  { clock, logTo }: AppOptions = {},
): Promise<NestFastifyApplication> {
  const instance = Instance.ofThisProcess();
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, clock, instance),
    newAdapter(config),
    { rawBody: true, logger: createLogger(config, instance, logTo), abortOnError: false },
  );
  // LiveKit signs the bytes it sends, so they are kept as they came.
  app.useBodyParser('application/webhook+json', { bodyLimit: BOUNDS.bodyBytes });
  const server = app.getHttpAdapter().getInstance() as FastifyInstance;
  secureHeaders(server, config);
  outlastBodies(server);
  if (config.corsOrigins.length > 0) app.enableCors(corsOf(config));
  if (config.role === 'worker') serveHealthAlone(server);
  app.get(Drain).watch(server);
  app.get(Metrics).watch(server);
  app.get(Tracing).watch(server);
  return app;
}

/** A credential travels in a header that a page sets itself, so that no cookies are ever needed. */
function corsOf({ corsOrigins }: Config): Parameters<NestFastifyApplication['enableCors']>[0] {
  return {
    origin: [...corsOrigins],
    credentials: false,
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'range',
      'if-range',
      'if-none-match',
      'if-modified-since',
    ],
    exposedHeaders: [
      'accept-ranges',
      'content-disposition',
      'content-length',
      'content-range',
      'etag',
      'last-modified',
      'retry-after',
    ],
    maxAge: 600,
  };
}

function newAdapter({ trustProxy }: Config): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BOUNDS.bodyBytes,
    // What a client says of its own address is believed of nobody but those that are named.
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    http: { maxHeaderSize: BOUNDS.headBytes },
    // A request that trickles in holds a connection; what is answered may take as long as it needs.
    requestTimeout: 60_000,
    // An id that can't exist is a recording that is not there, however long it is; no route has a pattern to wear out.
    routerOptions: { maxParamLength: BOUNDS.headBytes },
    // A label may have any name, `__proto__` too: as a key of its own it is harmless, and nothing is merged here.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    frameworkErrors: refuseUnrouted,
    clientErrorHandler: refuseUnread,
    // Drain has waited for what could end by itself; downloads and subscriptions would go on for hours.
    forceCloseConnections: true,
  });
}
