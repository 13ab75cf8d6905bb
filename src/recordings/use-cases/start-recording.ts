import { Injectable } from '@nestjs/common';
import { requireRight, requireRoomVisible, roomNotFound } from '../../auth/rights.js';
import { Config } from '../../config/config.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { TallyError } from '../../kernel/errors.js';
import { newRecordingId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import type { EncodingPreset, RecordingLayout } from '../../kernel/recording-options.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { Room } from '../../rooms/domain/room.js';
import { digest } from '../../redis/keys.js';
import { RoomStore } from '../../rooms/store/room.store.js';
import { firstEffects, newRecording } from '../domain/new-recording.js';
import type { JsonValue, Labels, StoredRecording } from '../domain/recording.js';
import { EventLog } from '../events/event-log.port.js';
import { canonicalJson } from '../store/recording-query.js';
import type { LogPosition } from '../store/log-position.js';
import { type Commit, type KeyUse, RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';
import { LaunchEgress } from './launch-egress.js';
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

/** Stores the attempt, asks LiveKit once, and answers as the contract of startRecording says. */
@Injectable()
export class StartRecording {
  constructor(
    private readonly rooms: RoomStore,
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly launch: LaunchEgress,
    private readonly outcome: StartOutcome,
    private readonly events: EventLog,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  async execute(request: StartRequest, actor: Actor): Promise<StoredRecording> {
    const roomId = requireRoomVisible(actor, request.roomId);
    const idempotency = keyOf(request, actor);
    const used = idempotency && (await this.store.keyUse(idempotency.caller, idempotency.key));
    const room = await this.rooms.get(roomId);
    // A key tells its outcome also when the room is gone by now.
    if (room === null && !used) throw roomNotFound(request.roomId);
    requireRight(actor, 'start', roomId, 'start a recording');
    if (used) return this.attach(used, idempotency.input, request.waitForActive);
    await this.checkRoom(room!);
    const recording = newRecording(this.attempt(request, room!));
    const effects = firstEffects(recording, this.config.recordingStartTimeoutMs);
    // The room is looked at once more in the commit: it may have been deleted while LiveKit was asked.
    const result = await this.writer.create(recording, effects, actor.name, idempotency ?? undefined, true);
    if (result.kind === 'room-gone') throw roomNotFound(request.roomId);
    if (result.kind === 'key-used') return this.attach(result.use, idempotency!.input, request.waitForActive);
    if (result.kind === 'slot-taken') throw alreadyStarted(roomId, result.by);
    if (result.kind === 'moved-on') throw new Error(`recording ${recording.id} exists already`);
    // Not awaited: the answer is followed up also when this caller goes away.
    void this.launch.execute(recording);
    return request.waitForActive ? this.outcome.wait(recording.id, result.position) : recording;
  }

  private async checkRoom(room: Room): Promise<void> {
    const { id: roomId } = room;
    if (!room.recordingSettings.enabled) {
      throw new TallyError(
        'RECORDING_DISABLED',
        `recording is disabled for room ${roomId}; enable it in the room's settings`,
        { roomId },
      );
    }
    const holder = await this.store.slotHolder(roomId);
    if (holder !== null) throw alreadyStarted(roomId, holder);
    const live = await this.livekit.findRoom(roomId);
    if (live === null) {
      throw new TallyError(
        'ROOM_NOT_OPEN',
        `room ${roomId} is not open in LiveKit; start the recording once somebody has joined`,
        { roomId },
      );
    }
    if (live.numParticipants > 0 || (await this.hasParticipants(roomId))) return;
    throw new TallyError(
      'ROOM_HAS_NO_PARTICIPANTS',
      `nobody is in room ${roomId}; start the recording once somebody has joined`,
      { roomId },
    );
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
    const since: LogPosition = await this.events.end();
    const recording = await this.store.get(recordingId);
    if (recording === null || recording.upkeep.deleted) {
      throw new TallyError(
        'RECORDING_NOT_FOUND',
        `recording ${recordingId}, which this idempotency key started, was deleted`,
        { recordingId },
      );
    }
    return waitForActive ? this.outcome.wait(recordingId, since) : this.outcome.sofar(recording);
  }
}

function alreadyStarted(roomId: RoomId, recordingId: RecordingId): TallyError {
  return new TallyError(
    'RECORDING_ALREADY_STARTED',
    `room ${roomId} is held by recording ${recordingId}; stop it first, or wait until its egress has ended`,
    { roomId, recordingId },
  );
}

function keyOf(request: StartRequest, actor: Actor): Commit['idempotency'] | null {
  const { idempotencyKey: key, waitForActive: _waits, ...input } = request;
  return key === null ? null : { caller: actor.callerId, key, input: digest(canonicalJson(toJson(input))) };
}

/** Without what was left open, so that an input means the same however it was written. */
function toJson(input: object): JsonValue {
  return JSON.parse(JSON.stringify(input)) as JsonValue;
}
