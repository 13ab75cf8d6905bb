import { Controller, Get, Header, Headers, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Credentials } from '../auth/credentials.js';
import { may } from '../auth/rights.js';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { type Readiness, ReadinessProbe } from './readiness.js';

/** A probe does not wait for what its credential is. */
const ASK_LIMIT_MS = 500;

@Controller('health')
export class HealthController {
  constructor(
    private readonly probe: ReadinessProbe,
    private readonly credentials: Credentials,
    private readonly clock: Clock,
  ) {}

  /** The process answers: no reason to start it anew, whatever it depends on. */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('authorization') authorization?: string,
  ): Promise<Readiness> {
    const inFull = authorization !== undefined && (await this.isAdmin(authorization));
    const readiness = this.probe.look(inFull);
    void reply.status(readiness.status === 'not ready' ? 503 : 200);
    return readiness;
  }

  /** Whoever can't show it, or not now, is told what anybody is told. */
  private async isAdmin(authorization: string): Promise<boolean> {
    const asked = this.credentials.authenticate(authorization).then(
      (actor) => may(actor, 'administer', 'every-room'),
      () => false,
    );
    return await awaitWithin(this.clock, ASK_LIMIT_MS, asked, () => false);
  }
}
