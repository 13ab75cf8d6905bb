import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { isTallyError } from '../../kernel/errors.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import type { RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressStatus, WorkerAnswer } from '../../livekit/livekit.types.js';
import { isFinal, type StoredRecording } from '../domain/recording.js';
import { watchedEgresses } from '../domain/slot.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecorderLog, type RecorderState } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { ObserveEgresses } from './observe-egresses.js';
import { ReconcileRecording } from './reconcile-recording.js';

const LEAST_QUESTIONS = 3;
const FLEET_ANSWER_MS = 5_000;

interface Watched {
  readonly recording: StoredRecording;
  readonly egressId: string;
}

/**
 * Asks whether the worker of a recording's egress is alive. LiveKit itself says nothing when it dies, and a recorder that is
 * still shown in the room proves nothing: only an answer is a sign of life, and only LiveKit's own word that nobody serves
 * this egress is silence. A request that fails was no question.
 */
@Injectable()
export class CheckRecorder {
  private readonly log = new Logger('Recorders');

  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly recorders: RecorderLog,
    private readonly fleet: FleetProbe,
    private readonly reconcile: ReconcileRecording,
    private readonly observe: ObserveEgresses,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** How long until the next question, in ms; null: nothing of it is left to watch. */
  async execute(id: RecordingId): Promise<number | null> {
    const recording = await this.store.get(id);
    if (recording === null) return null;
    const waits = await Promise.all(
      watchedEgresses(recording).map((egressId) => this.check({ recording, egressId })),
    );
    if (waits.length > 0) return Math.min(...waits);
    await Promise.all(
      Object.keys(recording.upkeep.egresses).map((egressId) => this.recorders.forget(egressId)),
    );
    return null;
  }

  private async check(watched: Watched): Promise<number> {
    const askedAt = this.clock.now();
    try {
      const answer = await this.ask(watched);
      if (answer === 'silent') return await this.silent(watched, askedAt);
      if (answer === 'alive') {
        emitTelemetry('recorders-asked', { there: true });
        await this.recorders.heard(watched.egressId, askedAt);
      }
      return this.config.recorderCheckEveryMs;
    } catch (error) {
      if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE')) throw error;
      const { silentAt } = await this.recorders.state(watched.egressId);
      return silentAt.length > 0 ? this.soonMs : this.config.recorderCheckEveryMs;
    }
  }

  /** The question depends on the status that LiveKit lists. An ACTIVE one is asked at once; LiveKit refuses it where it lists another. */
  private async ask({ recording, egressId }: Watched): Promise<WorkerAnswer> {
    if (recording.status === 'ACTIVE' && recording.egressId === egressId) {
      const answer = await this.livekit.askWorker(egressId);
      if (answer !== 'not-askable' && answer !== 'not-known') return answer;
      await this.reconcile.look(recording);
    }
    const listed = await this.livekit.findEgress(egressId);
    if (listed === null) return 'not-known';
    if (isFinal(listed.status)) {
      await this.observe.one(recording.id, listed, 'livekit');
      return 'not-askable';
    }
    return this.askListed(egressId, listed.status);
  }

  private askListed(egressId: string, listed: EgressStatus): Promise<WorkerAnswer> {
    return listed === 'ENDING' ? this.livekit.askEndingWorker(egressId) : this.livekit.askWorker(egressId);
  }

  private async silent(watched: Watched, askedAt: number): Promise<number> {
    const { recording, egressId } = watched;
    await this.recorders.silent(egressId, askedAt);
    const state = await this.recorders.state(egressId);
    const nextMs = Math.max(0, askedAt + this.soonMs - this.clock.now());
    if (!this.isLongEnough(state)) return nextMs;
    if (!(await this.isProven(watched, state))) return nextMs;
    const media = await this.reconcile.findMedia(recording);
    await this.writer.apply(
      recording.id,
      { kind: 'recorder-lost', egressId, media, at: this.clock.now() },
      'recorder-check',
    );
    // LiveKit lists it for ever, also when its recording is deleted.
    await this.recorders.markDead(egressId, this.clock.now());
    await this.recorders.forget(egressId);
    return nextMs;
  }

  private isLongEnough({ silentAt }: RecorderState): boolean {
    const [first = 0] = silentAt;
    const last = silentAt.at(-1) ?? 0;
    return silentAt.length >= LEAST_QUESTIONS && last - first >= this.config.recorderLostAfterMs;
  }

  /** Somebody answers, and right after that this one is silent once more: so a message bus that was away ends nothing when it comes back. */
  private async isProven({ recording, egressId }: Watched, state: RecorderState): Promise<boolean> {
    const lastAskedAt = state.silentAt.at(-1) ?? 0;
    const listed = await this.livekit.findEgress(egressId);
    if (listed === null || isFinal(listed.status)) return false;
    if (await this.recorders.anotherHeardSince(egressId, lastAskedAt))
      return this.isStillSilent(egressId, listed.status);
    const fleet = this.fleet.isThere(recording.roomId, lastAskedAt);
    if (await this.answersSoon(fleet)) return this.isStillSilent(egressId, listed.status);
    if (listed.status !== 'ENDING' && (await this.hasLeftOthers(recording, egressId)))
      return this.isSilentAfterLeaving(egressId);
    if (await fleet) return this.isStillSilent(egressId, listed.status);
    this.log.error({
      message: 'no egress worker answers: nothing is ended for it',
      recordingId: recording.id,
      egressId,
    });
    return false;
  }

  /** A worker that is there answers within a second, and LiveKit takes half a minute to say that none is. */
  private async answersSoon(fleet: Promise<boolean>): Promise<boolean> {
    const over = new AbortController();
    const limit = this.clock.sleep(FLEET_ANSWER_MS, over.signal).then(
      () => false,
      () => false,
    );
    try {
      return await Promise.race([fleet, limit]);
    } finally {
      over.abort();
    }
  }

  private async isStillSilent(egressId: string, listed: EgressStatus): Promise<boolean> {
    const askedAt = this.clock.now();
    const answer = await this.askListed(egressId, listed);
    if (answer === 'alive') await this.recorders.heard(egressId, askedAt);
    return answer === 'silent';
  }

  /** It may have left because it was stopped as soon as the message bus was back: then it is ending by now, or answers. */
  private async isSilentAfterLeaving(egressId: string): Promise<boolean> {
    const listed = await this.livekit.findEgress(egressId);
    if (listed === null || isFinal(listed.status) || listed.status === 'ENDING') return false;
    return this.isStillSilent(egressId, listed.status);
  }

  /** A recorder that had been seen and has left a room in which people still publish. Never an empty look. */
  private async hasLeftOthers(recording: StoredRecording, egressId: string): Promise<boolean> {
    const { presence } = await this.recorders.state(egressId);
    if (presence === 'unknown') return false;
    const room = await this.livekit.findRoom(recording.roomId);
    if (room === null || room.numPublishers === 0) return false;
    return presence === 'left' || !room.activeRecording;
  }

  private get soonMs(): number {
    return this.config.recorderLostAfterMs / 3;
  }
}
