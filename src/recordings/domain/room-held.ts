import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { isFinal, isOver, type StoredRecording } from './recording.js';
import { hasLiveEgress } from './slot.js';
import { isUnsent } from './start-request.js';

/** Why a room can't be recorded now and what has to happen first, for who wanted to start; `holder` null: its row is gone. */
export function whatHolds(room: RoomId, id: RecordingId, holder: StoredRecording | null, at: number): string {
  if (holder === null)
    return `room ${room} is still locked by recording ${id}, which is gone; the lock is removed within minutes, try again then`;
  const { status, upkeep } = holder;
  if (status === 'STARTING' || status === 'ACTIVE')
    return `room ${room} is already being recorded (${id}); stop that recording first`;
  if (status === 'ENDING' && !isOver(holder))
    return `recording ${id} of room ${room} is still ending (its file is being uploaded); try again when it has ended`;
  if (isFinal(status) && hasLiveEgress(holder))
    return `recording ${id} of room ${room} is ${status}, but its egress is still ending (its file may still be uploaded); try again when LiveKit has ended it`;
  if (!isUnsent(holder) && at < upkeep.startPendingUntil) {
    const until = new Date(upkeep.startPendingUntil).toISOString();
    return `recording ${id} of room ${room} is ${status}, but LiveKit may still accept its start request until ${until}; try again shortly after`;
  }
  return `recording ${id} of room ${room} is ${status}; the room is free as soon as LiveKit's list confirms that no egress of it runs, try again in some seconds`;
}
