import { Controller, Get, Header, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Readiness, ReadinessProbe } from './readiness.js';

@Controller('health')
export class HealthController {
  constructor(private readonly probe: ReadinessProbe) {}

  /** The process answers: no reason to start it anew, whatever it depends on. */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.probe.look();
    void reply.status(readiness.status === 'ready' ? 200 : 503);
    return readiness;
  }
}
