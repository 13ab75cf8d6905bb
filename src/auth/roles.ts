import { type Actor, type Role, hasRole, maySeeRoom } from '../kernel/actor.js';
import { TallyError } from '../kernel/errors.js';
import { type RecordingId, type RoomId, parseRecordingId, parseRoomId } from '../kernel/ids.js';

/** Throws FORBIDDEN where the caller's role is less; `what` completes "may not", as in "start a recording". */
export function requireRole(actor: Actor, least: Role, what: string): void {
  if (hasRole(actor, least)) return;
  throw new TallyError('FORBIDDEN', `${actor.name} may not ${what}: that needs the role ${least}`);
}

/** Throws FORBIDDEN where the caller may not delete. */
export function requireMayDelete(actor: Actor, what: string): void {
  if (actor.mayDelete) return;
  throw new TallyError(
    'FORBIDDEN',
    `${actor.name} may not ${what}: that needs an ADMIN key or a LiveKit token with video.roomAdmin`,
  );
}

/** Throws FORBIDDEN where the caller is limited to some rooms, for what is about all of them. */
export function requireAllRooms(actor: Actor, what: string): void {
  if (actor.rooms === null) return;
  throw new TallyError('FORBIDDEN', `${actor.name} may not ${what}: that needs a credential for every room`);
}

/** The room's id. Throws ROOM_NOT_FOUND for one that can't exist or that the caller may not see. */
export function requireRoomVisible(actor: Actor, id: string): RoomId {
  const roomId = parseRoomId(id);
  if (roomId === null || !maySeeRoom(actor, roomId)) throw roomNotFound(id);
  return roomId;
}

/** The recording's id. Throws RECORDING_NOT_FOUND for one that can't exist. */
export function requireRecordingId(id: string): RecordingId {
  const recordingId = parseRecordingId(id);
  if (recordingId === null) throw recordingNotFound(id);
  return recordingId;
}

/** The recording. Throws RECORDING_NOT_FOUND for none, and for one in a room that the caller may not see. */
export function requireRecordingVisible<T extends { readonly roomId: RoomId }>(
  actor: Actor,
  id: string,
  recording: T | null | undefined,
): T {
  if (!recording || !maySeeRoom(actor, recording.roomId)) throw recordingNotFound(id);
  return recording;
}

// One sentence for unknown and hidden alike: a difference would tell what exists.
export function roomNotFound(id: string): TallyError {
  return new TallyError('ROOM_NOT_FOUND', `there is no room ${shown(id)}`, { roomId: id });
}

export function recordingNotFound(id: string): TallyError {
  return new TallyError('RECORDING_NOT_FOUND', `there is no recording ${shown(id)}`, { recordingId: id });
}

/** What the caller sent, short enough for a sentence and with its ends seen. */
function shown(id: string): string {
  return JSON.stringify(id.length > 140 ? `${id.slice(0, 140)}…` : id);
}
