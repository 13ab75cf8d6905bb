import type { Actor, Role } from '../kernel/actor.js';
import { isTallyError } from '../kernel/errors.js';
import { type RoomId, newRecordingId, parseRoomId } from '../kernel/ids.js';
import {
  may,
  requireRecordingId,
  requireRecordingVisible,
  requireRight,
  requireRoomVisible,
  type Right,
  type Where,
} from './rights.js';

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

const ALL: readonly Right[] = ['read', 'start', 'stop', 'share', 'delete', 'administer'];

describe('rights', () => {
  it.each<[Role, boolean, readonly Right[]]>([
    ['VIEWER', false, ['read']],
    ['RECORDER', false, ['read', 'start', 'stop', 'share']],
    ['RECORDER', true, ['read', 'start', 'stop', 'share', 'delete']],
    ['ADMIN', true, ALL],
  ])('%s, who may delete: %s, has %j and no other', (role, mayDelete, rights) => {
    const actor = anActor({ role, mayDelete });
    expect(ALL.filter((right) => may(actor, right, room('a')))).toEqual(rights);
    expect(ALL.filter((right) => may(actor, right, 'every-room'))).toEqual(rights);
  });

  it.each<[readonly string[] | null, Where, boolean]>([
    [null, 'every-room', true],
    [null, room('a'), true],
    [['a'], room('a'), true],
    [['a'], 'some-room', true],
    [['a'], 'every-room', false],
    [['a'], room('A'), false],
    [['a'], room('ab'), false],
    [['ab'], room('a'), false],
    [['a', 'b'], room('b'), true],
    [[], room('a'), false],
    [[], 'every-room', false],
  ])('an ADMIN of the rooms %j may administer %s: %s', (rooms, where, allowed) => {
    const actor = anActor({ role: 'ADMIN', mayDelete: true, rooms: rooms && rooms.map(room) });
    expect(may(actor, 'administer', where)).toBe(allowed);
  });

  it.each<[Partial<Actor>, Right, Where, string]>([
    [{}, 'start', 'every-room', 'alice may not do this: that needs the role RECORDER'],
    [
      { role: 'RECORDER' },
      'delete',
      'every-room',
      'alice may not do this: that needs an ADMIN key or a LiveKit token with video.roomAdmin',
    ],
    [
      { role: 'ADMIN', rooms: [room('a')] },
      'administer',
      'every-room',
      'alice may not do this: that needs a credential for every room',
    ],
    [
      { role: 'ADMIN', rooms: [room('a')] },
      'administer',
      room('b'),
      'alice may not do this: its rooms are others than "b"',
    ],
  ])('a refusal says who, what and what it takes', (given, right, where, sentence) => {
    expect(() => requireRight(anActor(given), right, where, 'do this')).toThrow(sentence);
    expect(codeOf(() => requireRight(anActor(given), right, where, 'do this'))).toBe('FORBIDDEN');
  });

  it.each<[string, Partial<Actor>, string, string]>([
    ['every room', { rooms: null }, 'a', 'allowed'],
    ['this room', { rooms: [room('b'), room('a')] }, 'a', 'allowed'],
    ['another room', { rooms: [room('b')] }, 'a', 'ROOM_NOT_FOUND'],
    ['another room, as an ADMIN', { role: 'ADMIN', rooms: [room('b')] }, 'a', 'ROOM_NOT_FOUND'],
    ['no room', { rooms: [] }, 'a', 'ROOM_NOT_FOUND'],
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
