import type { Actor, Role } from '../kernel/actor.js';
import { TallyError } from '../kernel/errors.js';
import { type RecordingId, type RoomId, parseRecordingId, parseRoomId } from '../kernel/ids.js';
import { shown } from '../kernel/shown.js';

/** What somebody can be allowed. `administer`: rooms, and with every room the deployment itself. */
export type Right = 'read' | 'start' | 'stop' | 'share' | 'delete' | 'administer';

/**
 * What a right is asked for: one room with all that was recorded in it, what is about all of them (`every-room`), or what is
 * told apart by room only later (`some-room`).
 */
export type Where = RoomId | 'every-room' | 'some-room';

/** Listed, never ranked: what a role may do is what stands here. */
const RIGHTS: Record<Role, readonly Right[]> = {
  VIEWER: ['read'],
  RECORDER: ['read', 'start', 'stop', 'share'],
  ADMIN: ['read', 'start', 'stop', 'share', 'delete', 'administer'],
};

/** Completes "that needs". */
const NEEDS: Record<Right, string> = {
  read: 'the role VIEWER',
  start: 'the role RECORDER',
  stop: 'the role RECORDER',
  share: 'the role RECORDER',
  delete: 'an ADMIN key or a LiveKit token with video.roomAdmin',
  administer: 'the role ADMIN',
};

/** The one place that decides who may do what, and where. */
export function may(actor: Actor, right: Right, where: Where): boolean {
  return holds(actor, right) && reaches(actor, where);
}

/** Throws FORBIDDEN where the caller may not; `what` completes "may not", as in "start a recording". */
export function requireRight(actor: Actor, right: Right, where: Where, what: string): void {
  if (may(actor, right, where)) return;
  throw new TallyError('FORBIDDEN', `${actor.name} may not ${what}: ${whyNot(actor, right, where)}`);
}

/** The room's id. Throws ROOM_NOT_FOUND for one that can't exist or that the caller may not see. */
export function requireRoomVisible(actor: Actor, id: string): RoomId {
  const roomId = parseRoomId(id);
  if (roomId === null || !may(actor, 'read', roomId)) throw roomNotFound(id);
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
  if (!recording || !may(actor, 'read', recording.roomId)) throw recordingNotFound(id);
  return recording;
}

// One sentence for unknown and hidden alike: a difference would tell what exists.
export function roomNotFound(id: string): TallyError {
  return new TallyError('ROOM_NOT_FOUND', `there is no room ${shown(id)}`, { roomId: id });
}

export function recordingNotFound(id: string): TallyError {
  return new TallyError('RECORDING_NOT_FOUND', `there is no recording ${shown(id)}`, { recordingId: id });
}

/** Deleting comes with LiveKit's roomAdmin as well, which is no role of ours. */
function holds(actor: Actor, right: Right): boolean {
  return RIGHTS[actor.role].includes(right) || (right === 'delete' && actor.mayDelete);
}

function reaches({ rooms }: Actor, where: Where): boolean {
  if (rooms === null || where === 'some-room') return true;
  return where !== 'every-room' && rooms.includes(where);
}

function whyNot(actor: Actor, right: Right, where: Where): string {
  if (!holds(actor, right)) return `that needs ${NEEDS[right]}`;
  return where === 'every-room'
    ? 'that needs a credential for every room'
    : `its rooms are others than ${shown(where)}`;
}
