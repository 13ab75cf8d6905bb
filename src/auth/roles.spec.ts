import type { Actor, Role } from '../kernel/actor.js';
import { isTallyError } from '../kernel/errors.js';
import { type RoomId, newRecordingId, parseRoomId } from '../kernel/ids.js';
import {
  requireAllRooms,
  requireMayDelete,
  requireRecordingId,
  requireRecordingVisible,
  requireRole,
  requireRoomVisible,
} from './roles.js';

const room = (name: string): RoomId => {
  const id = parseRoomId(name);
  if (id === null) throw new Error(`${name} is no room id`);
  return id;
};

const anActor = (given: Partial<Actor> = {}): Actor => ({
  name: 'alice',
  callerId: 'identity:alice',
  role: 'VIEWER',
  rooms: null,
  mayDelete: false,
  ...given,
});

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'allowed';
  } catch (error) {
    return isTallyError(error) ? error.code : String(error);
  }
};

describe('roles', () => {
  it.each<[Role, Role, string]>([
    ['ADMIN', 'ADMIN', 'allowed'],
    ['ADMIN', 'RECORDER', 'allowed'],
    ['ADMIN', 'VIEWER', 'allowed'],
    ['RECORDER', 'ADMIN', 'FORBIDDEN'],
    ['RECORDER', 'RECORDER', 'allowed'],
    ['RECORDER', 'VIEWER', 'allowed'],
    ['VIEWER', 'ADMIN', 'FORBIDDEN'],
    ['VIEWER', 'RECORDER', 'FORBIDDEN'],
    ['VIEWER', 'VIEWER', 'allowed'],
  ])('a caller with the role %s asking for what needs %s is %s', (role, least, outcome) => {
    expect(codeOf(() => requireRole(anActor({ role }), least, 'do this'))).toBe(outcome);
  });

  it('a refusal says who, what and which role it takes', () => {
    expect(() => requireRole(anActor(), 'RECORDER', 'start a recording')).toThrow(
      'alice may not start a recording: that needs the role RECORDER',
    );
  });

  it.each([
    [true, 'allowed'],
    [false, 'FORBIDDEN'],
  ])('with mayDelete %s deleting is %s, whatever the role', (mayDelete, outcome) => {
    expect(codeOf(() => requireMayDelete(anActor({ role: 'RECORDER', mayDelete }), 'delete it'))).toBe(
      outcome,
    );
  });

  it('a credential limited to rooms is refused what is about all of them', () => {
    expect(codeOf(() => requireAllRooms(anActor({ rooms: [room('a')] }), 'sweep'))).toBe('FORBIDDEN');
    expect(codeOf(() => requireAllRooms(anActor(), 'sweep'))).toBe('allowed');
  });

  it.each<[string, Partial<Actor>, string, string]>([
    ['every room', { rooms: null }, 'a', 'allowed'],
    ['this room', { rooms: [room('b'), room('a')] }, 'a', 'allowed'],
    ['another room', { rooms: [room('b')] }, 'a', 'ROOM_NOT_FOUND'],
    ['another room, as an ADMIN', { role: 'ADMIN', rooms: [room('b')] }, 'a', 'ROOM_NOT_FOUND'],
    ['no room', { rooms: [] }, 'a', 'ROOM_NOT_FOUND'],
    ['every room, for an id that can not exist,', {}, 'a/b', 'ROOM_NOT_FOUND'],
    ['every room, for an empty id,', {}, '', 'ROOM_NOT_FOUND'],
  ])('a caller who may see %s gets the room as it should', (_, actor, id, outcome) => {
    expect(codeOf(() => requireRoomVisible(anActor(actor), id))).toBe(outcome);
  });

  it('a recording of a hidden room and one that does not exist are refused with the same words', () => {
    const id = newRecordingId(1_000);
    const outsider = anActor({ rooms: [room('b')] });
    const messages = [null, undefined, { roomId: room('a') }].map((recording) => {
      try {
        requireRecordingVisible(outsider, id, recording);
        return 'allowed';
      } catch (error) {
        return isTallyError(error, 'RECORDING_NOT_FOUND') ? error.message : String(error);
      }
    });
    expect(new Set(messages)).toEqual(new Set([`there is no recording "${id}"`]));
  });

  it('a recording of a visible room is given back', () => {
    const recording = { roomId: room('a') };
    expect(requireRecordingVisible(anActor({ rooms: [room('a')] }), 'rec_x', recording)).toBe(recording);
  });

  it('an id that can not be a recording is not found, and a long one is not repeated whole', () => {
    expect(codeOf(() => requireRecordingId('nonsense'))).toBe('RECORDING_NOT_FOUND');
    expect(() => requireRecordingId('x'.repeat(10_000))).toThrow(/^.{1,200}$/);
  });
});
