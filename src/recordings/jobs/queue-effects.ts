import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { Clock } from '../../kernel/clock.js';
import { type JobDefinition, JobQueue } from '../../queue/define-job.js';
import { LocalJobs } from '../../queue/local-jobs.js';
import type { Effect } from '../domain/facts.js';
import { isFinal } from '../domain/recording.js';
import { type OutboxEntry, RecordingStore } from '../store/recording.store.js';
import { EffectDispatcher } from '../write/effect-dispatcher.port.js';
import { dropRoomMetadata } from './drop-room-metadata.job.js';
import { dropSegments } from './drop-segments.job.js';
import { EARLIER_EFFECTS } from './earlier-timers.js';
import { finishDeletion } from './finish-deletion.job.js';
import { reconcileRecording } from './reconcile-recording.job.js';
import { recoverRecording } from './recover-recording.job.js';
import { removeRecorder } from './remove-recorder.job.js';
import { signalRoom } from './signal-room.job.js';
import { stopEgress } from './stop-egress.job.js';
import { writeMetadata } from './write-metadata.job.js';

/** An entry that is still there after this was left by a process that died after its commit, or is slow. */
const LEFT_BEHIND_MS = 2_000;
const LOOK_EVERY_MS = 2_000;
const AT_ONCE = 200;
const DROP_ROOM_AFTER_MS = 1_000;
/** Effects that have happened are acknowledged together, so long after the first of them or when they are so many. */
const ACK_TOGETHER_MS = 50;
const MOST_UNACKED = 200;
const MOST_SKIPPED = 10_000;

const KNOWN: Readonly<Record<Effect['do'], true>> = {
  reconcile: true,
  'stop-egress': true,
  'remove-recorder': true,
  'write-metadata': true,
  'signal-room': true,
  'finish-deletion': true,
  'drop-room-metadata': true,
  'drop-segments': true,
  recover: true,
};
const isKnown = ({ effect }: OutboxEntry): boolean => Object.hasOwn(KNOWN, effect.do) || isEarlier(effect);
const isEarlier = (effect: { readonly do: string }): boolean => EARLIER_EFFECTS.includes(effect.do);

/** Whoever takes a job, to run it or to queue it. */
type Taker = <P>(job: JobDefinition<P>, payload: P, when?: { readonly inMs?: number }) => Promise<void>;

/** A look that is due within this is made by the process that committed it, unless it dies before. */
const SOON_MS = 1_500;
const MOST_SOON = 2_000;
/**
 * What follows the first version of a recording in progress comes in bursts, one record of it is enough: LiveKit and the egress'
 * own object tell the rest, should Redis be lost within this. An end is recorded at once.
 */
const RECORD_TOGETHER_MS = 500;

/**
 * Carries outbox entries out, and acknowledges each only when its effect has happened or is in the queue, so that it happens at
 * least once. What is due is done in the process that committed it, behind its answer; what is for later, for another, or did
 * not succeed at once, becomes a job.
 */
@Injectable()
export class QueueEffects extends EffectDispatcher {
  private readonly log = new Logger('Effects');
  private looking = false;
  /** Entries that are being carried out here. */
  private readonly underWay = new Set<string>();
  /** The look at each recording, and the record of it, that is due soon: a later one takes its place. */
  private readonly soon = new Map<string, AbortController>();
  /** What has happened and is not acknowledged yet. */
  private readonly unacked: string[] = [];

  constructor(
    private readonly jobs: JobQueue,
    private readonly local: LocalJobs,
    private readonly store: RecordingStore,
    private readonly clock: Clock,
  ) {
    super();
  }

  async dispatch(entries: readonly OutboxEntry[]): Promise<void> {
    // Those of a newer version are left to an instance of that version.
    const known = entries.filter((entry) => isKnown(entry) && !this.underWay.has(entry.entry));
    if (known.length === 0) return;
    const [here, queued] = [
      known.filter((entry) => this.isForHere(entry)),
      known.filter((entry) => !this.isForHere(entry)),
    ];
    for (const entry of here) void this.carryOut([entry], (one) => this.perform(one));
    await this.carryOut(queued, (entry) => this.give(entry, (...job) => this.jobs.add(...job)));
  }

  private async carryOut(
    entries: readonly OutboxEntry[],
    how: (entry: OutboxEntry) => Promise<void>,
  ): Promise<void> {
    if (entries.length === 0) return;
    for (const { entry } of entries) this.underWay.add(entry);
    const made = await Promise.allSettled(entries.map(how));
    const causes: string[] = [];
    for (const [i, { entry }] of entries.entries()) {
      const one = made[i];
      if (one?.status === 'fulfilled') this.ackSoon(entry);
      else {
        this.underWay.delete(entry);
        causes.push(String(one?.reason));
      }
    }
    if (causes.length === 0) return;
    this.log.warn({
      event: 'outbox_dispatch_failed',
      message: `${causes.length} effects stay in the outbox until the queue takes them`,
      effects: entries.map(({ effect }) => effect.do),
      cause: causes[0],
    });
  }

  private ackSoon(entry: string): void {
    this.unacked.push(entry);
    if (this.unacked.length >= MOST_UNACKED) void this.ack();
    else if (this.unacked.length === 1) void this.clock.sleep(ACK_TOGETHER_MS).then(() => this.ack());
  }

  /** What could not be acknowledged is in the outbox still, and happens once more. */
  private async ack(): Promise<void> {
    const entries = this.unacked.splice(0);
    if (entries.length === 0) return;
    try {
      await this.store.ack(entries);
    } catch (error) {
      const message = `${entries.length} effects that have happened stay in the outbox`;
      this.log.warn({ event: 'outbox_ack_failed', message, cause: String(error) });
    } finally {
      for (const entry of entries) this.underWay.delete(entry);
    }
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
        await this.ack();
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

  private isForHere({ effect }: OutboxEntry): boolean {
    switch (effect.do) {
      case 'write-metadata':
      case 'signal-room':
        return true;
      case 'reconcile':
        return effect.at - this.clock.now() <= SOON_MS && this.soon.size < MOST_SOON;
      default:
        return false;
    }
  }

  private async perform(entry: OutboxEntry): Promise<void> {
    const inMs = this.dueInMs(entry);
    if (inMs !== null && !(await this.isStillDue(`${entry.effect.do} ${entry.recording.id}`, inMs))) return;
    await this.give(entry, (job, payload) => this.local.run(job, payload));
  }

  /** Null: at once, whatever else is due of its recording. */
  private dueInMs({ recording: { status, version }, effect }: OutboxEntry): number | null {
    if (effect.do === 'reconcile') return effect.at - this.clock.now();
    if (effect.do !== 'write-metadata') return null;
    const together = version > 1 && !isFinal(status) && this.soon.size < MOST_SOON;
    return together ? RECORD_TOGETHER_MS : 0;
  }

  /** Once it is time; false: another one has taken its place, which has an entry of its own. */
  private async isStillDue(id: string, inMs: number): Promise<boolean> {
    this.soon.get(id)?.abort();
    if (inMs <= 0) return true;
    const superseded = new AbortController();
    this.soon.set(id, superseded);
    try {
      await this.clock.sleep(inMs, superseded.signal);
      return true;
    } catch (reason) {
      if (!superseded.signal.aborted) throw reason;
      return false;
    } finally {
      if (this.soon.get(id) === superseded) this.soon.delete(id);
    }
  }

  /** As the job that carries its effect out. */
  private give({ recording, effect }: OutboxEntry, to: Taker): Promise<void> {
    const { id: recordingId, roomId, status, version, error } = recording;
    const at = 'at' in effect ? effect.at : undefined;
    const later = at === undefined ? {} : { inMs: Math.max(0, at - this.clock.now()) };
    if (isEarlier(effect)) return to(reconcileRecording, { recordingId });
    switch (effect.do) {
      case 'reconcile':
        return to(reconcileRecording, { recordingId }, later);
      case 'stop-egress':
        return to(stopEgress, { recordingId, roomId, egressId: effect.egressId, why: effect.why });
      case 'remove-recorder':
        return to(removeRecorder, { recordingId, roomId, egressId: effect.egressId, why: effect.why }, later);
      case 'write-metadata':
        return to(writeMetadata, { recordingId });
      case 'signal-room':
        return to(signalRoom, { recordingId, roomId, status, version, error, at });
      case 'finish-deletion':
        return to(finishDeletion, { recordingId, roomId }, later);
      case 'drop-room-metadata':
        // Many of a room go together, and it is the last one that matters.
        return to(dropRoomMetadata, { roomId }, { inMs: DROP_ROOM_AFTER_MS });
      case 'recover':
        return to(recoverRecording, { recordingId });
      case 'drop-segments':
        return to(dropSegments, { recordingId });
    }
  }
}
