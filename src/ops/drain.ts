import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { Clock } from '../kernel/clock.js';
import { toHttpError } from './http-errors.js';
import { ReadinessProbe } from './readiness.js';

/** How long requests under way may take to end by themselves; media and subscriptions that go on longer are cut. */
const DRAIN_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** Lets requests that are under way end before the doors close, and takes no new ones. */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private underWay = 0;
  private ending: Promise<void> | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly probe: ReadinessProbe,
  ) {}

  watch(server: FastifyInstance): void {
    server.addHook('onRequest', (request, reply, next) => {
      if (this.ending !== null) {
        reply.header('connection', 'close');
        // Whoever looks sees why; everybody else asks another instance.
        if (!request.url.startsWith('/health/'))
          return void reply.status(503).header('retry-after', '1').send(SHUTTING);
      }
      this.underWay += 1;
      reply.raw.once('close', () => (this.underWay -= 1));
      next();
    });
  }

  /** At once: not ready, and no new requests. Resolves when what was under way has ended, or had its time. */
  end(): Promise<void> {
    this.ending ??= this.wait();
    return this.ending;
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.end();
  }

  private async wait(): Promise<void> {
    this.probe.close();
    const until = this.clock.now() + DRAIN_MS;
    while (this.underWay > 0 && this.clock.now() < until) await this.clock.sleep(LOOK_EVERY_MS);
  }
}

const SHUTTING = toHttpError(Object.assign(new Error('shutting down'), { statusCode: 503 })).body;
