import { createHash } from 'node:crypto';
import { encodeTime } from 'ulid';
import { z } from 'zod';
import { parseRecordingId, parseRoomId, type RecordingId, type RoomId } from '../kernel/ids.js';
import {
  ENCODING_PRESETS,
  type EncodingPreset,
  RECORDING_LAYOUTS,
  type RecordingLayout,
} from '../kernel/recording-options.js';
import { newRecording } from '../recordings/domain/new-recording.js';
import {
  FINAL_STATUSES,
  type FinalStatus,
  type RecordingEndReason,
  type StoredRecording,
  visiblePart,
} from '../recordings/domain/recording.js';
import type { ArchivedRecording } from '../recordings/store/archived-recording.js';
import { toRoomName } from '../rooms/domain/room.js';

/** Where OpenVidu Meet 3.4 keeps what it recorded, below the prefix of its bucket. */
export const MEET_RECORDS = 'recordings/.metadata/';
export const meetRoomKey = (room: string): string => `recordings/.room_metadata/${room}/room_metadata.json`;

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CAUSE = 'import:openvidu-meet';

/** One recording of OpenVidu Meet: its id is `<room>--<egress>--<uid>`, instants are in ms, `duration` is in s. */
const meetRecord = z.looseObject({
  recordingId: z.string().min(1).max(512),
  roomId: z.string(),
  roomName: z.string().optional(),
  status: z.string().transform((status) => status.toUpperCase()),
  layout: z.string().optional(),
  encoding: z.unknown().optional(),
  startDate: z.number().int().positive().optional(),
  endDate: z.number().int().positive().optional(),
  duration: z.number().nonnegative().optional(),
  size: z.number().nonnegative().optional(),
  error: z.string().max(10_000).optional(),
  details: z.string().max(10_000).optional(),
});

export interface MeetRecording {
  /** As OpenVidu Meet calls it. */
  readonly name: string;
  readonly id: RecordingId;
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly egressId: string;
  readonly status: FinalStatus;
  readonly layout: RecordingLayout;
  readonly preset: EncodingPreset;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly durationMs: number | null;
  readonly endReason: RecordingEndReason | null;
  readonly error: string | null;
  /** Of its file, below the prefix of the bucket. */
  readonly mediaKey: string;
}

export type ReadMeetRecord =
  | { readonly recording: MeetRecording }
  | { readonly skipped: 'in-progress' | 'unreadable'; readonly why: string };

/** What one object under recordings/.metadata/ says. The same object always becomes a recording of the same id. */
export function readMeetRecord(key: string, body: Buffer): ReadMeetRecord {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return unreadable(`it is no JSON: ${String(error)}`);
  }
  const parsed = meetRecord.safeParse(json);
  if (!parsed.success) return unreadable(z.prettifyError(parsed.error));
  const { recordingId: name, ...said } = parsed.data;
  const [room = '', egressId = '', uid = '', more] = name.split('--');
  const roomId = parseRoomId(said.roomId);
  if (roomId === null || room !== said.roomId || egressId === '' || uid === '' || more !== undefined) {
    return unreadable(
      `it names no recording of room ${JSON.stringify(said.roomId)}: ${JSON.stringify(name)}`,
    );
  }
  if (key !== `${MEET_RECORDS}${room}/${egressId}/${uid}.json`)
    return unreadable('it lies under another name');
  const status = FINAL_STATUSES.find((one) => one === said.status);
  if (status === undefined) {
    return { skipped: 'in-progress', why: `its status is ${said.status}: import it when it has ended` };
  }
  const startedAt = said.startDate ?? said.endDate;
  if (startedAt === undefined) return unreadable('it says neither when it began nor when it ended');
  const durationMs = said.duration === undefined ? null : Math.round(said.duration * 1_000);
  return {
    recording: {
      ...{ name, roomId, egressId, status, startedAt, durationMs },
      id: idOf(name, startedAt),
      roomName: nameOf(said.roomName, roomId),
      layout: among(RECORDING_LAYOUTS, said.layout?.toUpperCase().replaceAll('-', '_')) ?? 'GRID',
      preset: among(ENCODING_PRESETS, said.encoding) ?? 'H264_720P_30',
      endedAt: said.endDate ?? startedAt + (durationMs ?? 0),
      endReason: endReasonOf(status, said.details ?? ''),
      error: status === 'COMPLETE' ? null : (said.error ?? said.details ?? null),
      mediaKey: `recordings/${room}/${room}--${uid}.mp4`,
    },
  };
}

/** The record of it as one of ours, which it becomes by being restored like any other; `sizeBytes` null: it has no media. */
export function toArchived(
  meet: MeetRecording,
  sizeBytes: number | null,
  maxDurationMs: number,
): ArchivedRecording {
  const { id, roomId, roomName, layout, preset, startedAt, endedAt } = meet;
  const labels = { importedFrom: `openvidu-meet:${meet.name}` };
  const attempt = { id, roomId, roomName, layout, preset, audioOnly: false, crashProof: false, labels };
  const blank = newRecording({ ...attempt, maxDurationMs, requestedAt: startedAt, startLimitMs: 0 });
  const missing =
    meet.status === 'COMPLETE' || meet.status === 'LIMIT_REACHED'
      ? 'its file was not in the bucket that it was imported from'
      : null;
  const recording: StoredRecording = {
    ...blank,
    status: meet.status,
    egressId: meet.egressId,
    filename: sizeBytes === null ? null : meet.mediaKey.slice(meet.mediaKey.lastIndexOf('/') + 1),
    sizeBytes,
    durationMs: meet.durationMs,
    startedAt,
    endedAt,
    updatedAt: endedAt,
    endReason: meet.endReason,
    error: meet.error ?? (sizeBytes === null ? missing : null),
    hasMedia: sizeBytes !== null,
    upkeep: {
      ...blank.upkeep,
      startSentAt: startedAt,
      startAnswer: 'accepted',
      startResult: 'ACTIVE',
      egresses: { [meet.egressId]: 'over' },
      holdsSlot: false,
      // Nobody goes on with a meeting of long ago, and nothing more will come.
      stopRequestedAt: endedAt,
      bucketChecked: true,
    },
  };
  return {
    format: 1,
    recording,
    history: [
      {
        position: { epoch: 'import', id: '0-0' },
        version: 1,
        type: 'REQUESTED',
        previousStatus: null,
        at: endedAt,
        cause: CAUSE,
        changes: visiblePart(recording),
      },
    ],
  };
}

function unreadable(why: string): ReadMeetRecord {
  return { skipped: 'unreadable', why };
}

/** A ULID of the time it began at, and of its name: found again by every further run. */
function idOf(name: string, startedAt: number): RecordingId {
  const hash = createHash('sha256').update(name).digest();
  const rest = [...hash.subarray(0, 16)].map((byte) => CROCKFORD[byte & 31]).join('');
  return parseRecordingId(`rec_${encodeTime(startedAt, 10)}${rest}`)!;
}

function nameOf(name: string | undefined, roomId: RoomId): string {
  try {
    return toRoomName(name ?? roomId);
  } catch {
    // A name that we would refuse: the room's id is one that is right.
    return roomId;
  }
}

function endReasonOf(status: FinalStatus, details: string): RecordingEndReason | null {
  if (status === 'LIMIT_REACHED') return 'LIMIT_REACHED';
  if (status !== 'COMPLETE') return 'EGRESS_FAILED';
  if (/StopEgress/i.test(details)) return 'STOP_REQUESTED';
  return /source closed|room (closed|ended|finished)/i.test(details) ? 'ROOM_ENDED' : null;
}

function among<T extends string>(known: readonly T[], text: unknown): T | undefined {
  return known.find((one) => one === text);
}
