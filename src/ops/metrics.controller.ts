import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BASIC_CHALLENGE, authenticateBasicOrBearer } from '../auth/basic.js';
import { Credentials } from '../auth/credentials.js';
import { isTallyError } from '../kernel/errors.js';
import { Metrics } from './metrics.js';

/** On the main port for an ADMIN, by HTTP Basic or bearer, as Prometheus can send both. */
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly credentials: Credentials,
  ) {}

  @Get()
  async show(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    try {
      await authenticateBasicOrBearer(this.credentials, request, 'read the metrics');
    } catch (error) {
      if (isTallyError(error, 'UNAUTHENTICATED')) reply.header('www-authenticate', BASIC_CHALLENGE);
      throw error;
    }
    const { contentType, body } = await this.metrics.page();
    await reply.header('content-type', contentType).header('cache-control', 'no-store').send(body);
  }
}
