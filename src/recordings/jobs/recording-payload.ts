import { z } from 'zod';
import { parseRecordingId, parseRoomId, type RecordingId, type RoomId } from '../../kernel/ids.js';

const recordingId = z
  .string()
  .refine((text): text is RecordingId => parseRecordingId(text) !== null, 'is no recording id');
const roomId = z.string().refine((text): text is RoomId => parseRoomId(text) !== null, 'is no room id');

export interface OfRecording {
  readonly recordingId: RecordingId;
}
export const ofRecording: z.ZodType<OfRecording> = z.object({ recordingId });

export interface OfEgress extends OfRecording {
  readonly roomId: RoomId;
  readonly egressId: string;
  /** For the log; a job of an earlier version has none. */
  readonly why?: string | undefined;
}
export const ofEgress: z.ZodType<OfEgress> = z.object({
  recordingId,
  roomId,
  egressId: z.string(),
  why: z.string().optional(),
});

/** All that is needed of a recording to find its objects, once its row is gone. */
export interface OfObjects extends OfRecording {
  readonly roomId: RoomId;
}
export const ofObjects: z.ZodType<OfObjects> = z.object({ recordingId, roomId });

export interface OfRoom {
  readonly roomId: RoomId;
}
export const ofRoom: z.ZodType<OfRoom> = z.object({ roomId });
