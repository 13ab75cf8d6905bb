import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { RoomSignals } from '../../livekit/room-signal.js';
import { defineJob, done, JobHandler, type JobOutcome } from '../../queue/define-job.js';
import type { EffectSubject } from '../store/recording.store.js';
import { RECORDING_STATUSES } from '../domain/recording.js';

type Signal = Pick<EffectSubject, 'roomId' | 'status' | 'version' | 'error'> & {
  readonly recordingId: RecordingId;
  /** Of the change, ms. */
  readonly at?: number | undefined;
};

/** What is as old is news to nobody: who is in the room has been told of what followed, or asks. */
const OLD_MS = 30_000;

/** Carries the status itself: every change is told while it is new, also one that another has followed by now. */
export const signalRoom = defineJob<Signal>({
  queue: 'signals',
  name: 'signal-room',
  payload: z.object({
    recordingId: z.custom<RecordingId>((value) => typeof value === 'string'),
    roomId: z.custom<RoomId>((value) => typeof value === 'string'),
    status: z.enum(RECORDING_STATUSES),
    version: z.number(),
    error: z.string().nullable(),
    at: z.number().optional(),
  }),
  key: ({ recordingId, version }) => `${recordingId}-${version}`,
  mode: 'once',
  options: { attempts: 1, backoffMs: 500, keepSeconds: 600, skippable: true },
});

@Injectable()
export class SignalRoomJob extends JobHandler<Signal> {
  readonly definition = signalRoom;

  constructor(
    private readonly signals: RoomSignals,
    private readonly clock: Clock,
  ) {
    super();
  }

  async handle({ at, ...signal }: Signal): Promise<JobOutcome> {
    // A packet to a room that is gone takes LiveKit seconds: a thousand of them must not hold up those that are news.
    if (at !== undefined && this.clock.now() - at > OLD_MS) return done;
    await this.signals.send(signal.roomId, signal);
    return done;
  }
}
