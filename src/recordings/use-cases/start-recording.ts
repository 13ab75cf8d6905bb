import { Injectable } from '@nestjs/common';
import { requireRight, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import { Config } from '../../config/config.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock, awaitWithin } from '../../kernel/clock.js';
import { digest } from '../../kernel/digest.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import { newRecordingId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import type { EncodingPreset, RecordingLayout } from '../../kernel/recording-options.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { WorkerKind } from '../../livekit/livekit.types.js';
import type { Room } from '../../rooms/domain/room.js';
import { RoomDirectory } from '../../rooms/use-cases/room-directory.js';
import { firstEffects, newRecording } from '../domain/new-recording.js';
import { whatHolds } from '../domain/room-held.js';
import { isOver, type JsonValue, type Labels, type StoredRecording } from '../domain/recording.js';
import { EventLog } from '../events/event-log.port.js';
import { WorkerAvailability, workerKindOf } from '../recorders/worker-availability.port.js';
import { canonicalJson } from '../store/recording-query.js';
import type { LogPosition } from '../store/log-position.js';
import { type Commit, type KeyUse, RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { LaunchEgress } from './launch-egress.js';
import { OwnEgresses } from './own-egresses.js';
import { StartOutcome } from './start-outcome.js';

export interface StartRequest {
  readonly roomId: string;
  /** Each undefined: the room's own setting. */
  readonly layout?: RecordingLayout;
  readonly preset?: EncodingPreset;
  readonly audioOnly?: boolean;
  readonly maxDurationMs?: number;
  readonly labels: Labels;
  readonly idempotencyKey: string | null;
  readonly waitForActive: boolean;
}

/** A worker that is there answers within a second; LiveKit takes half a minute to say that none is. */
const WORKER_ANSWER_MS = 2_000;

/** Stores the attempt, asks LiveKit once, and answers as the contract of startRecording says. */
@Injectable()
export class StartRecording {
  constructor(
    private readonly rooms: RoomDirectory,
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly own: OwnEgresses,
    private readonly launch: LaunchEgress,
    private readonly outcome: StartOutcome,
    private readonly workers: WorkerAvailability,
    private readonly events: EventLog,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  async execute(request: StartRequest, actor: Actor): Promise<StoredRecording> {
    const roomId = requireRoomVisible(actor, request.roomId);
    const idempotency = keyOf(request, actor);
    const used = idempotency && (await this.store.keyUse(idempotency.caller, idempotency.key));
    // A key tells its outcome also when the room is gone by now.
    const room = used ? null : await this.rooms.findOrOpen(roomId);
    if (room === null && !used) throw roomNotFound(request.roomId);
    requireRight(actor, 'start', roomId, 'start a recording');
    if (used) return this.attach(used, idempotency.input, request.waitForActive);
    try {
      await this.checkRoom(room!, request.audioOnly);
    } catch (refusal) {
      // What is in the way may be what this very key has started since it was read.
      const since = idempotency && (await this.store.keyUse(idempotency.caller, idempotency.key));
      if (since) return this.attach(since, idempotency.input, request.waitForActive);
      throw refusal;
    }
    const known = await this.rooms.ensure(room!);
    const recording = newRecording(this.attempt(request, known));
    const result = await ofAttempt(recording.id, () => this.create(recording, actor, idempotency));
    switch (result.kind) {
      case 'room-gone':
        throw roomNotFound(request.roomId);
      case 'key-used':
        return this.attach(result.use, idempotency!.input, request.waitForActive);
      case 'slot-taken':
        throw await this.alreadyStarted(roomId, result.by);
      case 'moved-on':
      case 'done':
        // Not awaited: the answer is followed up also when this caller goes away.
        void this.launch.execute(recording.id, result.kind === 'done' ? result.recording : null);
        if (!request.waitForActive) return recording;
        return ofAttempt(recording.id, async () =>
          result.kind === 'done'
            ? this.outcome.wait(recording.id, result.position, result.recording)
            : this.outcome.wait(recording.id, await this.events.end()),
        );
    }
  }

  private create(
    recording: StoredRecording,
    actor: Actor,
    idempotency: Commit['idempotency'] | null,
  ): ReturnType<RecordingWriter['create']> {
    const effects = firstEffects(recording);
    // The room is looked at once more in the commit: it may have been deleted while LiveKit was asked.
    return this.writer.create(recording, effects, actor.name, idempotency ?? undefined, true);
  }

  private async checkRoom(room: Room, wanted: boolean | undefined): Promise<void> {
    const { id: roomId } = room;
    const audioOnly = wanted ?? room.recordingSettings.audioOnly;
    if (!room.recordingSettings.enabled) {
      throw new TallyError(
        'RECORDING_DISABLED',
        `recording is disabled for room ${roomId}; enable it in the room's settings`,
        { roomId },
      );
    }
    const holder = await this.store.slotHolder(roomId);
    if (holder !== null) throw await this.alreadyStarted(roomId, holder);
    const live = await this.livekit.findRoom(roomId);
    if (live === null) {
      throw new TallyError(
        'ROOM_NOT_OPEN',
        `room ${roomId} is not open in LiveKit; start the recording once somebody has joined`,
        { roomId },
      );
    }
    if (live.activeRecording) await this.refuseSecond(roomId);
    if (live.numParticipants === 0 && !(await this.hasParticipants(roomId))) {
      throw new TallyError(
        'ROOM_HAS_NO_PARTICIPANTS',
        `nobody is in room ${roomId}; start the recording once somebody has joined`,
        { roomId },
      );
    }
    const kind = workerKindOf(audioOnly);
    if (!(await this.workers.isAbsent(kind)) || (await this.isThereAfterAll(roomId, kind))) return;
    throw new TallyError(
      'RECORDING_START_REJECTED',
      `room ${roomId} can not be recorded now: no egress worker takes ${audioOnly ? 'an audio recording' : 'a recording'}, none is running or none has free CPU; start one and try again`,
      { roomId },
    );
  }

  /** Nobody answered a while ago; a worker that has come since is asked for once more, which takes it less than a second. */
  private async isThereAfterAll(roomId: RoomId, kind: WorkerKind): Promise<boolean> {
    const askedAt = this.clock.now();
    const asked = this.livekit.askFleet(roomId, kind).then(
      (answer) => answer === 'there',
      () => null,
    );
    const isThere = await awaitWithin(this.clock, WORKER_ANSWER_MS, asked, () => false);
    if (isThere) await this.workers.note(kind, true, askedAt);
    // Who could not be asked has not said no.
    return isThere ?? true;
  }

  /** Redis knows of nobody who holds the room, and a recorder is in it: where that is ours, Redis has forgotten who does. */
  private async refuseSecond(roomId: RoomId): Promise<void> {
    for (const egress of await this.livekit.listEgresses({ roomName: roomId, active: true })) {
      const id = this.own.recordingOf(egress);
      const recording = id === null ? null : await this.store.get(id);
      if (id !== null && recording !== null && !isOver(recording))
        throw await this.alreadyStarted(roomId, id);
    }
  }

  /** LiveKit's count is up to some seconds old; who is in the room is asked where it says nobody. */
  private async hasParticipants(roomId: RoomId): Promise<boolean> {
    const participants = await this.livekit.listParticipants(roomId);
    return participants.some(({ kind }) => kind !== 'egress' && kind !== 'agent');
  }

  private attempt(
    request: StartRequest,
    { id: roomId, name: roomName, recordingSettings: settings }: Room,
  ): Parameters<typeof newRecording>[0] {
    const now = this.clock.now();
    return {
      id: newRecordingId(now),
      roomId,
      roomName,
      layout: request.layout ?? settings.layout,
      preset: request.preset ?? settings.preset,
      audioOnly: request.audioOnly ?? settings.audioOnly,
      crashProof: settings.crashProof,
      maxDurationMs: request.maxDurationMs ?? settings.maxDurationMs ?? this.config.recordingMaxDurationMs,
      labels: request.labels,
      requestedAt: now,
      startLimitMs: this.config.livekitStartTimeoutMs,
    };
  }

  /** The key was used: the same input has the same outcome. */
  private async attach(use: KeyUse, input: string, waitForActive: boolean): Promise<StoredRecording> {
    const { recordingId } = use;
    if (use.input !== input) {
      throw new TallyError(
        'IDEMPOTENCY_KEY_REUSED',
        `this idempotency key started recording ${recordingId} with another input; use a new key`,
        {
          recordingId,
        },
      );
    }
    return ofAttempt(recordingId, async () => {
      const since: LogPosition = await this.events.end();
      const recording = await this.store.get(recordingId);
      if (recording === null || recording.upkeep.deleted) {
        throw new TallyError(
          'RECORDING_NOT_FOUND',
          `recording ${recordingId}, which this idempotency key started, was deleted`,
          { recordingId },
        );
      }
      return waitForActive ? this.outcome.wait(recordingId, since) : this.outcome.current(recording);
    });
  }

  private async alreadyStarted(roomId: RoomId, recordingId: RecordingId): Promise<TallyError> {
    const holder = await this.store.get(recordingId);
    return new TallyError(
      'RECORDING_ALREADY_STARTED',
      whatHolds(roomId, recordingId, holder, this.clock.now()),
      { roomId, recordingId },
    );
  }
}

/** Whoever is told of a failure after the attempt may have been stored, is told which one it was. */
async function ofAttempt<T>(recordingId: RecordingId, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isTallyError(error)) {
      const message = `something went wrong while recording ${recordingId} was started; it has been logged, follow the recording by its id`;
      throw new TallyError('INTERNAL', message, { recordingId, cause: error });
    }
    if (error.subject.recordingId !== undefined) throw error;
    const { code, message, subject, cause } = error;
    throw new TallyError(
      code,
      `${message}; recording ${recordingId} may have been stored: follow it by its id, or ask again with the same idempotency key`,
      { ...subject, recordingId, cause },
    );
  }
}

function keyOf(request: StartRequest, actor: Actor): Commit['idempotency'] | null {
  const { idempotencyKey: key, waitForActive: _waits, ...input } = request;
  return key === null ? null : { caller: actor.callerId, key, input: digest(canonicalJson(toJson(input))) };
}

/** Without what was left open, so that an input means the same however it was written. */
function toJson(input: object): JsonValue {
  return JSON.parse(JSON.stringify(input)) as JsonValue;
}
