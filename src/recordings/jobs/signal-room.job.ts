import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { RoomSignals } from '../../livekit/room-signal.js';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import type { EffectSubject } from '../store/recording.store.js';
import { RECORDING_STATUSES } from '../domain/recording.js';

type Signal = Pick<EffectSubject, 'roomId' | 'status' | 'version' | 'error'> & {
  readonly recordingId: RecordingId;
};

/** Carries the status itself: every change is told, also one that another has followed by now. */
export const signalRoom = defineJob<Signal>({
  queue: 'signals',
  name: 'signal-room',
  payload: z.object({
    recordingId: z.custom<RecordingId>((value) => typeof value === 'string'),
    roomId: z.custom<RoomId>((value) => typeof value === 'string'),
    status: z.enum(RECORDING_STATUSES),
    version: z.number(),
    error: z.string().nullable(),
  }),
  key: ({ recordingId, version }) => `${recordingId}-${version}`,
  mode: 'once',
  options: { attempts: 1, backoffMs: 500, keepSeconds: 600, skippable: true },
});

@Injectable()
export class SignalRoomJob extends JobHandler<Signal> {
  readonly definition = signalRoom;

  constructor(private readonly signals: RoomSignals) {
    super();
  }

  async handle(signal: Signal): Promise<JobOutcome> {
    await this.signals.send(signal.roomId, signal);
    return done;
  }
}
