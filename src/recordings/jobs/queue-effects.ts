import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '../../kernel/clock.js';
import { JobQueue } from '../../queue/define-job.js';
import type { Effect } from '../domain/facts.js';
import { type OutboxEntry, RecordingStore } from '../store/recording.store.js';
import { EffectDispatcher } from '../write/effect-dispatcher.port.js';
import { dropRoomMetadata } from './drop-room-metadata.job.js';
import { EARLIER_EFFECTS } from './earlier-timers.js';
import { finishDeletion } from './finish-deletion.job.js';
import { reconcileRecording } from './reconcile-recording.job.js';
import { removeRecorder } from './remove-recorder.job.js';
import { signalRoom } from './signal-room.job.js';
import { stopEgress } from './stop-egress.job.js';
import { writeMetadata } from './write-metadata.job.js';

/** An entry that is still there after this was left by a process that died between commit and queue. */
const LEFT_BEHIND_MS = 2_000;
const LOOK_EVERY_MS = 2_000;
const AT_ONCE = 200;
const MOST_SKIPPED = 10_000;

const KNOWN: Readonly<Record<Effect['do'], true>> = {
  reconcile: true,
  'stop-egress': true,
  'remove-recorder': true,
  'write-metadata': true,
  'signal-room': true,
  'finish-deletion': true,
  'drop-room-metadata': true,
};
const isKnown = ({ effect }: OutboxEntry): boolean => Object.hasOwn(KNOWN, effect.do) || isEarlier(effect);
const isEarlier = (effect: { readonly do: string }): boolean => EARLIER_EFFECTS.includes(effect.do);

/** Every outbox entry becomes a job and is acknowledged only then, so that its effect happens at least once. */
@Injectable()
export class QueueEffects extends EffectDispatcher {
  private readonly log = new Logger('Effects');
  private looking = false;

  constructor(
    private readonly jobs: JobQueue,
    private readonly store: RecordingStore,
    private readonly clock: Clock,
  ) {
    super();
  }

  async dispatch(entries: readonly OutboxEntry[]): Promise<void> {
    if (entries.length === 0) return;
    // Those of a newer version are left to an instance of that version.
    const known = entries.filter(isKnown);
    const added = await Promise.allSettled(known.map((entry) => this.enqueue(entry)));
    const queued = known.filter((_, i) => added[i]?.status === 'fulfilled');
    const causes = added.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    try {
      await this.store.ack(queued.map(({ entry }) => entry));
    } catch (error) {
      causes.push(String(error));
    }
    if (causes.length === 0) return;
    this.log.warn({
      event: 'outbox_dispatch_failed',
      message: `${causes.length} effects stay in the outbox until the queue takes them`,
      effects: entries.map(({ effect }) => effect.do),
      cause: causes[0],
    });
  }

  /** Carries on what another process, or this one, committed and could not bring to the queue. */
  @Interval(LOOK_EVERY_MS)
  async dispatchLeftBehind(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      let entries: OutboxEntry[];
      let skipped = 0;
      do {
        entries = await this.store.outbox(LEFT_BEHIND_MS, AT_ONCE, skipped);
        await this.dispatch(entries);
        skipped += entries.length;
        // A whole batch of a newer version's must not hide what stands after it.
      } while (entries.length === AT_ONCE && skipped < MOST_SKIPPED && !entries.some(isKnown));
    } catch (error) {
      this.log.debug({
        message: 'the outbox could not be read, it is read again',
        cause: String(error),
      });
    } finally {
      this.looking = false;
    }
  }

  private enqueue({ recording, effect }: OutboxEntry): Promise<void> {
    const { id: recordingId, roomId, status, version, error } = recording;
    const later = 'at' in effect ? { inMs: Math.max(0, effect.at - this.clock.now()) } : {};
    if (isEarlier(effect)) return this.jobs.add(reconcileRecording, { recordingId });
    switch (effect.do) {
      case 'reconcile':
        return this.jobs.add(reconcileRecording, { recordingId }, later);
      case 'stop-egress':
        return this.jobs.add(stopEgress, { recordingId, roomId, egressId: effect.egressId, why: effect.why });
      case 'remove-recorder':
        return this.jobs.add(
          removeRecorder,
          { recordingId, roomId, egressId: effect.egressId, why: effect.why },
          later,
        );
      case 'write-metadata':
        return this.jobs.add(writeMetadata, { recordingId });
      case 'signal-room':
        return this.jobs.add(signalRoom, { recordingId, roomId, status, version, error });
      case 'finish-deletion':
        return this.jobs.add(finishDeletion, { recordingId, roomId }, later);
      case 'drop-room-metadata':
        return this.jobs.add(dropRoomMetadata, { roomId });
    }
  }
}
