import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { RoomId } from '../../kernel/ids.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import type { LiveKitEvent } from '../../livekit/livekit.types.js';
import { defineJob, done, JobHandler, type JobOutcome, JobQueue } from '../../queue/define-job.js';
import { autoRecord } from './auto-record.job.js';
import { finishDeletion } from './finish-deletion.job.js';
import { reconcileRecording } from './reconcile-recording.job.js';
import { AutoRecord } from '../use-cases/auto-record.js';
import { isFinal } from '../domain/recording.js';
import { ApplyLiveKitEvent } from '../use-cases/apply-livekit-event.js';

/** Carries the event itself: LiveKit coalesces what it reports and forgets an ended egress after a day. */
export const applyLiveKitEvent = defineJob<{ event: LiveKitEvent }>({
  queue: 'inbox',
  name: 'apply-livekit-event',
  payload: z.object({
    event: z.custom<LiveKitEvent>((value) => typeof value === 'object' && value !== null && 'id' in value),
  }),
  key: ({ event }) => event.id.replaceAll(':', '_'),
  mode: 'once',
  options: { attempts: 12, backoffMs: 500, keepSeconds: 3_600 },
});

@Injectable()
export class ApplyLiveKitEventJob extends JobHandler<{ event: LiveKitEvent }> {
  readonly definition = applyLiveKitEvent;

  constructor(
    private readonly apply: ApplyLiveKitEvent,
    private readonly auto: AutoRecord,
    private readonly jobs: JobQueue,
  ) {
    super();
  }

  async handle({ event }: { event: LiveKitEvent }): Promise<JobOutcome> {
    emitTelemetry('livekit-webhook-applied', {});
    const recordingId = await this.apply.execute(event);
    if (recordingId !== null) await this.jobs.add(reconcileRecording, { recordingId });
    const roomId = await this.mayBegin(event);
    if (roomId !== null) await this.jobs.add(autoRecord, { roomId });
    const late = await this.apply.lateMediaOf(event);
    if (late !== null) await this.jobs.add(finishDeletion, late);
    return done;
  }

  /** The room that may have to be recorded by itself now, or to be recorded on. */
  private async mayBegin(event: LiveKitEvent): Promise<RoomId | null> {
    switch (event.kind) {
      case 'egress':
        return isFinal(event.egress.status) ? this.auto.isAutomatic(event.egress.roomName) : null;
      case 'room-started':
      case 'room-finished':
        return this.auto.isAutomatic(event.roomName);
      case 'participant-joined':
        return event.participantKind === 'egress' ? null : this.auto.isAutomatic(event.roomName);
      case 'participant-left':
      case 'other':
        return null;
    }
  }
}
