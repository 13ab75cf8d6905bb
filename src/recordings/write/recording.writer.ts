import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { newToken, type RecordingId } from '../../kernel/ids.js';
import { Random } from '../../kernel/random.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import type { Effect, Fact } from '../domain/facts.js';
import { isFinal, type RecordingStatus, type StoredRecording } from '../domain/recording.js';
import { decide, type EventMade } from '../domain/recording.machine.js';
import type { LogPosition } from '../store/log-position.js';
import { type Commit, type CommitResult, RecordingStore } from '../store/recording.store.js';
import { outboxEntriesOf } from '../store/outbox-entries.js';
import { EffectDispatcher } from './effect-dispatcher.port.js';

export interface Applied {
  readonly recording: StoredRecording;
  readonly changed: boolean;
  /** Of the change's event; null where clients see no change. */
  readonly position: LogPosition | null;
}

/** `recording` as it was stored. */
interface Created {
  readonly kind: 'done';
  readonly position: LogPosition;
  readonly recording: StoredRecording;
}

/**
 * With this many tries and a growing random pause between them, dozens of writers at once all get through;
 * without the pause all but the first few of them lose every round.
 */
const TRIES = 16;
const LONGEST_PAUSE_MS = 500;
/** The pauses between the tries of a commit whose answer was lost; none begins later than this after the first. */
const ASK_AGAIN_MS = [100, 300, 1_000] as const;
const ASK_AGAIN_WITHIN_MS = 12_000;

const EVENT_NAMES: Record<EventMade['type'], string> = {
  REQUESTED: 'recording_requested',
  STATUS_CHANGED: 'recording_status_changed',
  UPDATED: 'recording_updated',
  DELETED: 'recording_deleted',
};

/** The only one that writes recordings: callers bring facts, never statuses. */
@Injectable()
export class RecordingWriter {
  private readonly log = new Logger('Recordings');

  constructor(
    private readonly store: RecordingStore,
    private readonly effects: EffectDispatcher,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Stores a new attempt and takes its room's slot, or says who has it. `inRoom`: only while its room is there. */
  async create(
    recording: StoredRecording,
    effects: readonly Effect[],
    cause: string,
    idempotency?: Commit['idempotency'],
    inRoom = false,
  ): Promise<Exclude<CommitResult, { kind: 'done' }> | Created> {
    const event = { type: 'REQUESTED', previousStatus: null } as const;
    const at = recording.requestedAt;
    const next = idempotency
      ? { ...recording, upkeep: { ...recording.upkeep, key: idempotency } }
      : recording;
    const result = await this.commitSurely({
      token: newToken(),
      before: null,
      next,
      event,
      cause,
      effects,
      at,
      inRoom,
      ...(idempotency && { idempotency }),
    });
    if (result.kind !== 'done') return result;
    if (result.position === null) throw new Error('a new recording has its first event');
    return { kind: 'done', position: result.position, recording: next };
  }

  /**
   * What follows from the fact is stored when this answers. Null: there is no such recording (any more). `reason`: the
   * evidence, in a sentence for the log. `read`: the recording as the caller read it moments ago, which may spare a read.
   */
  async apply(
    id: RecordingId,
    fact: Fact,
    cause: string,
    reason?: string,
    read: StoredRecording | null = null,
  ): Promise<Applied | null> {
    for (let tried = 0; tried < TRIES; tried++) {
      // What was read may be old: the commit finds out, and that nothing follows is believed of the present row alone.
      const given = tried === 0 && read !== null && decide(read, fact).kind === 'advance' ? read : null;
      const before = given ?? (await this.store.get(id));
      if (before === null) return null;
      const decision = decide(before, fact);
      if (decision.kind === 'ignore') return { recording: before, changed: false, position: null };
      const { next, event, effects } = decision;
      const result = await this.commit(
        {
          token: newToken(),
          before,
          next,
          event,
          effects,
          cause,
          at: fact.at,
        },
        reason,
      );
      if (result.kind === 'done') {
        if (fact.kind === 'continuation-given-up') this.reportGivenUp(next, reason);
        return { recording: next, changed: true, position: result.position };
      }
      await this.clock.sleep(this.random.next() * Math.min(2 ** tried, LONGEST_PAUSE_MS));
    }
    throw new TallyError(
      'REDIS_UNAVAILABLE',
      `recording ${id} is changed by too many at once; try again in a moment`,
      {
        recordingId: id,
      },
    );
  }

  /** The last guard, whatever was decided before: a final status stays as it is, and no status goes back. */
  private requireForward({ before, next }: Commit): void {
    if (before === null || before.status === next.status) return;
    if (!isFinal(before.status) && rankOf(next.status) > rankOf(before.status)) return;
    const message = `recording ${next.id} is ${before.status} and can't become ${next.status}`;
    this.log.error({ event: 'status_would_go_back', message, recordingId: next.id });
    throw new TallyError('INTERNAL', message, { recordingId: next.id });
  }

  /** An answer that was lost leaves open whether the step was carried out: it is sent again, which does it once at most. */
  private async commitSurely(step: Commit): Promise<CommitResult> {
    const since = this.clock.now();
    for (const pauseMs of ASK_AGAIN_MS) {
      try {
        return await this.commit(step);
      } catch (error) {
        if (!isTallyError(error, 'REDIS_UNAVAILABLE') || this.clock.now() - since > ASK_AGAIN_WITHIN_MS)
          throw error;
      }
      await this.clock.sleep(pauseMs);
    }
    return this.commit(step);
  }

  private async commit(step: Commit, reason?: string): Promise<CommitResult> {
    this.requireForward(step);
    const result = await this.store.commit(step);
    if (result.kind !== 'done') return result;
    const { event } = step;
    if (event) this.report(step, event.type, reason);
    await this.effects.dispatch(outboxEntriesOf(step));
    return result;
  }

  /** No client sees it, and whoever looks for a meeting that was not recorded to its end has to find it. */
  private reportGivenUp({ id: recordingId, roomId }: StoredRecording, reason?: string): void {
    const message = reason ?? 'the room is not recorded further';
    this.log.warn({ event: 'continuation_given_up', message, recordingId, roomId });
  }

  private report({ before, next, cause, at }: Commit, type: EventMade['type'], reason?: string): void {
    const from = before?.status ?? null;
    const { id: recordingId, roomId, version, status: to, endReason, egressId, error } = next;
    const line = {
      event: EVENT_NAMES[type],
      message: `recording ${type === 'STATUS_CHANGED' ? `is ${to}` : type.toLowerCase()}`,
      ...{ recordingId, roomId, from, to, version, cause, endReason, egressId, reason },
    };
    if (type === 'STATUS_CHANGED' && to === 'FAILED') this.log.warn({ ...line, error });
    else this.log.log(line);
    const secondsSinceRequest = (at - next.requestedAt) / 1_000;
    emitTelemetry('recording-changed', { from, to, endReason, secondsSinceRequest });
  }
}

function rankOf(status: RecordingStatus): number {
  return isFinal(status) ? 3 : { STARTING: 0, ACTIVE: 1, ENDING: 2 }[status];
}
