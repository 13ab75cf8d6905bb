import { requireRecordingId } from '../../auth/rights.js';
import { RECORDING_STATUSES } from '../domain/recording.js';
import type { EventFilter } from '../use-cases/follow-recordings.js';
import { parseEventCursor, toRoomIdOf } from './recording.input.js';

export interface EventsArguments {
  readonly roomId?: string | null;
  readonly recordingId?: string | null;
  readonly statuses?: readonly string[] | null;
  readonly after?: string | null;
}

/** Throws ROOM_NOT_FOUND or RECORDING_NOT_FOUND for ids that can't exist, CURSOR_INVALID. */
export function toEventFilter(args: EventsArguments): EventFilter {
  const { statuses } = args;
  return {
    roomId: args.roomId == null ? null : toRoomIdOf(args.roomId),
    recordingId: args.recordingId == null ? null : requireRecordingId(args.recordingId),
    statuses: statuses == null ? null : RECORDING_STATUSES.filter((status) => statuses.includes(status)),
    after: args.after == null ? null : parseEventCursor(args.after),
  };
}
