import { Injectable } from '@nestjs/common';
import { requireRight } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { awaitsContinuation } from '../domain/continuation.js';
import { isOver, type StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { FindRecordings } from './find-recordings.js';
import { ReconcileRecording } from './reconcile-recording.js';

/** Further recordings of one meeting that are followed to the last. */
const LONGEST_CHAIN = 1_000;

/** Answers as soon as LiveKit has taken the stop; what it answers decides, never what we hoped for. */
@Injectable()
export class StopRecording {
  constructor(
    private readonly find: FindRecordings,
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly reconcile: ReconcileRecording,
    private readonly clock: Clock,
  ) {}

  async execute(id: string, actor: Actor): Promise<StoredRecording> {
    const stopped = await this.stop(id, actor);
    // A rebuild that began meanwhile may have brought the row back without the stop, which is told as taken now.
    return stopped.upkeep.stopRequestedAt === null ? ((await this.want(stopped, actor)) ?? stopped) : stopped;
  }

  private async stop(id: string, actor: Actor): Promise<StoredRecording> {
    const recording = await this.find.one(id, actor);
    requireRight(actor, 'stop', recording.roomId, 'stop a recording');
    if (isOver(recording)) return this.stopContinuation(recording, actor);
    // Where Redis has lost its row in between, the stop with it: that is told, and not that it is taken.
    const wanted = (await this.want(recording, actor)) ?? (await this.find.one(id, actor));
    // It has ended in this moment: what was asked for is so, and nobody goes on from it.
    if (isOver(wanted) && recording.status !== 'ENDING') return wanted;
    if (wanted.status === 'STARTING') return this.stopStarting(wanted, actor);
    return this.stopActive(wanted, actor);
  }

  /** Stored before LiveKit is asked, so that whatever becomes of it meanwhile, the meeting is not recorded further. */
  private async want({ id }: StoredRecording, actor: Actor): Promise<StoredRecording | null> {
    const stored = await this.writer.apply(id, { kind: 'stop-requested', at: this.clock.now() }, actor.name);
    return stored?.recording ?? null;
  }

  /** It has ended; what goes on from it, or is to, ends before it is there. */
  private async stopContinuation(recording: StoredRecording, actor: Actor): Promise<StoredRecording> {
    const last = await this.lastOf(recording);
    if (isOver(last) && awaitsContinuation(last)) {
      await this.want(last, actor);
      return (await this.store.get(recording.id)) ?? recording;
    }
    if (last.status === 'STARTING') {
      await this.want(last, actor);
      await this.writer.apply(last.id, { kind: 'start-cancelled', at: this.clock.now() }, actor.name);
      return (await this.store.get(recording.id)) ?? recording;
    }
    throw alreadyStopped(recording);
  }

  private async lastOf(recording: StoredRecording): Promise<StoredRecording> {
    let last = recording;
    for (let steps = 0; steps < LONGEST_CHAIN && last.continuedBy !== null; steps++) {
      const next = await this.store.get(last.continuedBy);
      if (next === null) break;
      last = next;
    }
    return last;
  }

  /** Looked at first: an egress that is active already is stopped like any other, else the start is cancelled. */
  private async stopStarting(recording: StoredRecording, actor: Actor): Promise<StoredRecording> {
    const looked = (await this.reconcile.look(recording.id)) ?? recording;
    if (looked.status !== 'STARTING') return this.stopActive(looked, actor);
    const applied = await this.writer.apply(
      recording.id,
      { kind: 'start-cancelled', at: this.clock.now() },
      actor.name,
    );
    // Redis has lost its row in between: that is told, and an egress that is known is stopped all the same.
    if (applied === null && looked.egressId === null) return this.find.one(recording.id, actor);
    const now = applied?.recording ?? looked;
    if (now.endReason !== 'START_CANCELLED') return this.stopActive(now, actor);
    throw new TallyError(
      'RECORDING_CANNOT_BE_STOPPED_WHILE_STARTING',
      `recording ${recording.id} had not begun; its start is cancelled`,
      { recordingId: recording.id, roomId: recording.roomId },
    );
  }

  private async stopActive(recording: StoredRecording, actor: Actor): Promise<StoredRecording> {
    const { id, egressId, status } = recording;
    if (status === 'ENDING' || isOver(recording)) {
      throw alreadyStopped(recording);
    }
    if (egressId === null) throw new Error(`recording ${id} is ${status} without an egress`);
    const outcome = await this.livekit.stopEgress(egressId);
    switch (outcome.kind) {
      case 'stopping':
        return this.taken(recording, actor, outcome.egress);
      case 'no-answer-from-worker':
        return this.taken(recording, actor, null);
      case 'not-stoppable':
        if (outcome.status === 'ENDING') return this.taken(recording, actor, null);
        return (await this.reconcile.look(recording.id)) ?? recording;
      case 'not-known':
        return this.notKnown(recording, actor);
    }
  }

  /** LiveKit knows no such egress; where that proves nothing, its recorder is sent out of the room, which ends any egress. */
  private async notKnown(recording: StoredRecording, actor: Actor): Promise<StoredRecording> {
    const judged = await this.reconcile.stopNotFound(recording.id);
    if (judged === null || isOver(judged)) return judged ?? recording;
    return this.taken(judged, actor, null);
  }

  private async taken(
    recording: StoredRecording,
    actor: Actor,
    egress: Extract<Awaited<ReturnType<LiveKit['stopEgress']>>, { kind: 'stopping' }>['egress'] | null,
  ): Promise<StoredRecording> {
    const applied = await this.writer.apply(
      recording.id,
      { kind: 'stop-taken', egress, at: this.clock.now() },
      actor.name,
    );
    return applied?.recording ?? (await this.find.one(recording.id, actor));
  }
}

function alreadyStopped({ id, roomId, status }: StoredRecording): TallyError {
  return new TallyError('RECORDING_ALREADY_STOPPED', `recording ${id} is ${status} already`, {
    recordingId: id,
    roomId,
  });
}
