import type { RecordingId, RoomId } from '../../src/kernel/ids.js';
import type { EgressFile, EgressSeen } from '../../src/livekit/livekit.types.js';
import { type Attempt, newRecording } from '../../src/recordings/domain/new-recording.js';
import type { StoredRecording, Upkeep } from '../../src/recordings/domain/recording.js';
import { mediaKey } from '../../src/storage/object-keys.js';

export const T0 = Date.parse('2026-11-22T10:00:00.000Z');

let made = 0;
/** Valid, and unlike every other one of this run. */
export function aRecordingId(): RecordingId {
  made += 1;
  return `rec_01JD9${String(made).padStart(21, '0')}` as RecordingId;
}

export function aRoomId(name = 'room-1'): RoomId {
  return name as RoomId;
}

/** A recording as it was requested, of LiveKit too; `upkeep` and fields are laid over it. */
export function aRecording({
  upkeep,
  ...fields
}: Partial<Omit<StoredRecording, 'upkeep'>> & { upkeep?: Partial<Upkeep> } = {}): StoredRecording {
  const attempt: Attempt = {
    id: aRecordingId(),
    roomId: aRoomId(),
    roomName: 'Room one',
    layout: 'GRID',
    preset: 'H264_720P_30',
    audioOnly: false,
    crashProof: false,
    maxDurationMs: 3_600_000,
    labels: {},
    requestedAt: T0,
    startLimitMs: 35_000,
  };
  const requested = newRecording(attempt);
  return { ...requested, ...fields, upkeep: { ...requested.upkeep, startSentAt: T0, ...upkeep } };
}

/** What LiveKit shows of the recording's egress. */
export function anEgress(
  of: Pick<StoredRecording, 'id' | 'roomId' | 'audioOnly' | 'crashProof'>,
  { file, ...fields }: Partial<Omit<EgressSeen, 'file'>> & { file?: Partial<EgressFile> } = {},
): EgressSeen {
  const filepath = mediaKey(of);
  const status = fields.status ?? 'STARTING';
  const active = status !== 'STARTING' && status !== 'ABORTED';
  const ended = status === 'COMPLETE' || status === 'LIMIT_REACHED';
  return {
    egressId: 'EG_000000000001',
    roomName: of.roomId,
    roomSid: 'RM_000000000001',
    bucket: null,
    filepath,
    startedAtMs: T0 + 500,
    endedAtMs: ended || status === 'FAILED' || status === 'ABORTED' ? T0 + 60_000 : null,
    updatedAtMs: T0 + 1_000,
    error: status === 'FAILED' ? 'pipeline frozen' : null,
    errorCode: status === 'FAILED' ? 500 : 0,
    endCause: null,
    mediaProblem: null,
    retryCount: 0,
    segmented: of.crashProof,
    ...fields,
    status,
    file: {
      filename: filepath,
      uploaded: ended,
      startedAtMs: active ? T0 + 2_000 : null,
      endedAtMs: ended ? T0 + 58_000 : null,
      durationMs: ended ? 56_000 : null,
      sizeBytes: ended ? 646_898 : null,
      ...file,
    },
  };
}
