import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../config/config.js';
import { StartFault, isErrno } from '../kernel/start-fault.js';
import { toHttpError } from './http-errors.js';
import { Metrics } from './metrics.js';
import { TallyError } from '../kernel/errors.js';

/** METRICS_PORT: for whoever can reach it, without a credential, and with nothing else behind it. */
@Injectable()
export class MetricsPort implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Metrics');
  private server: Server | null = null;

  constructor(
    private readonly config: Config,
    private readonly metrics: Metrics,
  ) {}

  /** Throws StartFault where the port can't be had. */
  async onApplicationBootstrap(): Promise<void> {
    const { metricsPort, host } = this.config;
    if (metricsPort === null) return;
    const server = createServer((request, response) => void this.answer(request, response));
    try {
      server.listen(metricsPort, host);
      await once(server, 'listening');
    } catch (error) {
      if (!isErrno(error, 'EADDRINUSE', 'EACCES')) throw error;
      throw new StartFault(
        `Port ${metricsPort} for the metrics can not be had: end what uses it, or choose another one with the variable METRICS_PORT.`,
        { cause: error },
      );
    }
    this.server = server;
  }

  async onApplicationShutdown(): Promise<void> {
    const { server } = this;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const known = request.method === 'GET' && (request.url ?? '').split('?')[0] === '/metrics';
      if (!known) throw new TallyError('NOT_FOUND', 'there is nothing here but GET /metrics');
      const { contentType, body } = await this.metrics.page();
      response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
    } catch (error) {
      const refusal = error instanceof TallyError;
      if (!refusal) this.log.error({ message: 'the metrics could not be shown', err: error });
      const { status, body } = toHttpError(error);
      const head = { 'content-type': 'application/json; charset=utf-8' };
      response.writeHead(refusal ? 404 : status, head).end(JSON.stringify(body));
    }
  }
}
