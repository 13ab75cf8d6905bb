import { Controller, Headers, HttpCode, Post, type RawBodyRequest, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Credentials } from '../../auth/credentials.js';
import { Clock, awaitWithin } from '../../kernel/clock.js';
import { isTallyError } from '../../kernel/errors.js';
import { parseRoomId } from '../../kernel/ids.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import { LOOPBACK_EVENT, type LiveKitEvent } from '../../livekit/livekit.types.js';
import { WebhookVerifier } from '../../livekit/webhook.verifier.js';
import { JobQueue } from '../../queue/define-job.js';
import { LocalJobs } from '../../queue/local-jobs.js';
import { autoRecord } from '../jobs/auto-record.job.js';
import { applyLiveKitEvent } from '../jobs/apply-livekit-event.job.js';
import { RecordingStore } from '../store/recording.store.js';
import { AutoRecord } from '../use-cases/auto-record.js';

/** LiveKit waits some seconds for an answer: what takes longer is left to the queue as well. */
const APPLIED_WITHIN_MS = 1_500;

/** The inbox: 200 only once the event is applied, or stored durably. Whatever else we answer but 5xx, LiveKit takes for delivered. */
@Controller('livekit/webhook')
export class LiveKitWebhookController {
  constructor(
    private readonly verifier: WebhookVerifier,
    private readonly jobs: JobQueue,
    private readonly local: LocalJobs,
    private readonly store: RecordingStore,
    private readonly credentials: Credentials,
    private readonly auto: AutoRecord,
    private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(200)
  async receive(
    @Req() request: RawBodyRequest<FastifyRequest>,
    @Headers('authorization') authorization?: string,
  ): Promise<void> {
    const event = await this.read(request, authorization);
    // What means nothing for recordings needs no job: a busy room tells of every track.
    if (event.kind === 'other') await this.mayBegin(event);
    else if (!(await this.isApplied(event))) {
      await this.jobs.add(applyLiveKitEvent, { event });
    }
    if (!isLoopback(event)) {
      emitTelemetry('livekit-webhook', { lagSeconds: (this.clock.now() - event.createdAtMs) / 1_000 });
    }
  }

  /** A track is what a room waits for that is recorded by itself. */
  private async mayBegin({ name, roomName }: Extract<LiveKitEvent, { kind: 'other' }>): Promise<void> {
    if (name !== 'track_published' || roomName === null) return;
    const roomId = await this.auto.isAutomatic(roomName);
    if (roomId !== null) await this.jobs.add(autoRecord, { roomId });
  }

  /** False: it has to be stored, since it is not applied by now. Throws REDIS_UNAVAILABLE. */
  private async isApplied(event: LiveKitEvent): Promise<boolean> {
    if (!(await this.needsRedisAlone(event))) return false;
    const applied = this.local.run(applyLiveKitEvent, { event }).then(() => true);
    return await awaitWithin(this.clock, APPLIED_WITHIN_MS, applied, () => false);
  }

  /** What has to be asked of LiveKit, or told to somebody in the room, does not keep the webhook waiting. */
  private async needsRedisAlone(event: LiveKitEvent): Promise<boolean> {
    if (event.kind === 'egress') return true;
    if (event.kind === 'participant-joined' && event.participantKind === 'egress') return true;
    const room = event.kind === 'other' ? null : parseRoomId(event.roomName);
    return room === null || (await this.store.slotHolder(room)) === null;
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

function isLoopback(event: LiveKitEvent): boolean {
  return event.kind === 'other' && event.name === LOOPBACK_EVENT;
}
