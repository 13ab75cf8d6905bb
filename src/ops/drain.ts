import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { Clock } from '../kernel/clock.js';
import { ReadinessProbe } from './readiness.js';

/** How long requests under way may take to end by themselves; media and subscriptions that go on longer are cut. */
const DRAIN_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** Lets requests that are under way end before the doors close. */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private underWay = 0;

  constructor(
    private readonly clock: Clock,
    private readonly probe: ReadinessProbe,
  ) {}

  watch(server: FastifyInstance): void {
    server.addHook('onRequest', (_request, reply, next) => {
      this.underWay += 1;
      reply.raw.once('close', () => (this.underWay -= 1));
      next();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.probe.close();
    const until = this.clock.now() + DRAIN_MS;
    while (this.underWay > 0 && this.clock.now() < until) await this.clock.sleep(LOOK_EVERY_MS);
  }
}
