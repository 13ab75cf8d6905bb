import { Controller, Headers, HttpCode, Post, type RawBodyRequest, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Credentials } from '../../auth/credentials.js';
import { isTallyError } from '../../kernel/errors.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import type { LiveKitEvent } from '../../livekit/livekit.types.js';
import { WebhookVerifier } from '../../livekit/webhook.verifier.js';
import { JobQueue } from '../../queue/define-job.js';
import { autoRecord } from '../jobs/auto-record.job.js';
import { applyLiveKitEvent } from '../jobs/apply-livekit-event.job.js';
import { AutoRecord } from '../use-cases/auto-record.js';

/** The inbox: 200 only once the event is stored durably. Whatever else we answer but 5xx, LiveKit takes for delivered. */
@Controller('livekit/webhook')
export class LiveKitWebhookController {
  constructor(
    private readonly verifier: WebhookVerifier,
    private readonly jobs: JobQueue,
    private readonly credentials: Credentials,
    private readonly auto: AutoRecord,
  ) {}

  @Post()
  @HttpCode(200)
  async receive(
    @Req() request: RawBodyRequest<FastifyRequest>,
    @Headers('authorization') authorization?: string,
  ): Promise<void> {
    const event = await this.read(request, authorization);
    // What means nothing for recordings needs no job: a busy room tells of every track.
    if (event.kind !== 'other') await this.jobs.add(applyLiveKitEvent, { event });
    else await this.mayBegin(event);
    emitTelemetry('livekit-webhook', {});
  }

  /** A track is what a room waits for that is recorded by itself. */
  private async mayBegin({ name, roomName }: Extract<LiveKitEvent, { kind: 'other' }>): Promise<void> {
    if (name !== 'track_published' || roomName === null) return;
    const roomId = await this.auto.isAutomatic(roomName);
    if (roomId !== null) await this.jobs.add(autoRecord, { roomId });
  }

  /** Whoever signs what it sends may send as much as there is to tell. */
  private async read(
    { rawBody, ip }: RawBodyRequest<FastifyRequest>,
    authorization: string | undefined,
  ): Promise<LiveKitEvent> {
    try {
      return await this.verifier.verify(rawBody ?? Buffer.alloc(0), authorization);
    } catch (error) {
      if (isTallyError(error, 'UNAUTHENTICATED')) await this.credentials.countWrong(ip);
      throw error;
    }
  }
}
