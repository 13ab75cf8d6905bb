import * as fc from 'fast-check';
import { parseRoomId, type RoomId } from '../../src/kernel/ids.js';

export function aRoomName(name: string): RoomId {
  const id = parseRoomId(name);
  if (id === null) throw new Error(`${JSON.stringify(name)} is no room name`);
  return id;
}

/** Names that a LiveKit room can have, and that break what takes a name for part of a path, of a key, or of an address. */
export const ODD_ROOM_NAMES: readonly RoomId[] = [
  'Weekly Standup',
  '!abc:matrix.example.org',
  'team/standup',
  'équipe-été',
  'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
  '..',
  '.metadata',
  '{room_name}',
  '😀'.repeat(64),
  'a\\b%2F"\'<&>#?',
].map(aRoomName);

export const roomNames: fc.Arbitrary<RoomId> = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...'aB7._-=/\\ %{}:é😀+'), minLength: 1, maxLength: 260 }),
    fc.stringMatching(/^[A-Za-z0-9._-]{1,256}$/),
    fc.constantFrom(...ODD_ROOM_NAMES, aRoomName('.'), aRoomName('.room_metadata'), aRoomName('\ufeffmark')),
  )
  .map(parseRoomId)
  .filter((id): id is RoomId => id !== null);
