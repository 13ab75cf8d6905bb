import { Controller, Headers, HttpCode, Post, type RawBodyRequest, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { tellHappening } from '../../kernel/happenings.js';
import { WebhookVerifier } from '../../livekit/webhook.verifier.js';
import { JobQueue } from '../../queue/define-job.js';
import { applyLiveKitEvent } from '../jobs/apply-livekit-event.job.js';

/** The inbox: 200 only once the event is stored durably. Whatever else we answer but 5xx, LiveKit takes for delivered. */
@Controller('livekit/webhook')
export class LiveKitWebhookController {
  constructor(
    private readonly verifier: WebhookVerifier,
    private readonly jobs: JobQueue,
  ) {}

  @Post()
  @HttpCode(200)
  async receive(
    @Req() request: RawBodyRequest<FastifyRequest>,
    @Headers('authorization') authorization?: string,
  ): Promise<void> {
    const event = await this.verifier.verify(request.rawBody ?? Buffer.alloc(0), authorization);
    // What means nothing for recordings needs no job: a busy room tells of every track.
    if (event.kind !== 'other') await this.jobs.add(applyLiveKitEvent, { event });
    tellHappening('livekit-webhook', {});
  }
}
