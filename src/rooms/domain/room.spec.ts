import * as fc from 'fast-check';
import { isTallyError } from '../../kernel/errors.js';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import {
  changeRoom,
  DEFAULT_RECORDING_SETTINGS,
  foldName,
  MAX_ROOM_NAME_LENGTH,
  newRoom,
  type RoomChange,
  toRoomName,
} from './room.js';

const id = parseRoomId('a-room') as RoomId;
const refusal = (text: string): string => {
  try {
    return `accepted ${JSON.stringify(toRoomName(text, 'input.name'))}`;
  } catch (error) {
    return isTallyError(error, 'BAD_USER_INPUT') ? `refused ${error.subject.field}` : String(error);
  }
};

describe('a room name', () => {
  it.each([
    ['  Daily stand-up ', 'accepted "Daily stand-up"'],
    ['会議室 🎥', 'accepted "会議室 🎥"'],
    ['x'.repeat(MAX_ROOM_NAME_LENGTH), `accepted "${'x'.repeat(MAX_ROOM_NAME_LENGTH)}"`],
    ['🎥'.repeat(MAX_ROOM_NAME_LENGTH), `accepted "${'🎥'.repeat(MAX_ROOM_NAME_LENGTH)}"`],
    ['x'.repeat(MAX_ROOM_NAME_LENGTH + 1), 'refused input.name'],
    ['', 'refused input.name'],
    [' \t\n', 'refused input.name'],
    ['two\nlines', 'refused input.name'],
    ['two\u2028lines', 'refused input.name'],
    ['nul\0', 'refused input.name'],
    ['half \ud83c', 'refused input.name'],
  ])('%j is %s', (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it('is found whatever its case and however its accents are written', () => {
    expect(foldName('CAFE\u0301 Ärger')).toBe(foldName('café ärger'));
  });
});

describe('a room', () => {
  it('has the documented settings where it was given none', () => {
    const room = newRoom(id, { name: 'A', recordingSettings: { layout: 'SPEAKER' } }, 5);
    expect(room).toEqual({
      id,
      name: 'A',
      createdAt: 5,
      updatedAt: 5,
      recordingSettings: {
        enabled: true,
        layout: 'SPEAKER',
        preset: 'H264_720P_30',
        audioOnly: false,
        maxDurationMs: null,
        retentionDays: null,
        restartWhenLost: true,
        crashProof: false,
        autoRecordFrom: null,
      },
    });
  });

  it('changes what a change names and keeps the rest; null resets what can be null', () => {
    const before = newRoom(id, { name: 'A', recordingSettings: { maxDurationMs: 10, retentionDays: 3 } }, 5);
    const after = changeRoom(before, { recordingSettings: { maxDurationMs: null, enabled: false } }, 9);
    expect(after).toEqual({
      ...before,
      updatedAt: 9,
      recordingSettings: { ...before.recordingSettings, maxDurationMs: null, enabled: false },
    });
  });

  it('is the very same after a change to what it is already', () => {
    const room = newRoom(id, { name: 'A' }, 5);
    expect(changeRoom(room, { name: 'A', recordingSettings: DEFAULT_RECORDING_SETTINGS }, 9)).toBe(room);
    expect(changeRoom(room, {}, 9)).toBe(room);
  });

  it('never gets older by a change, and the same change twice is one change', () => {
    const change: fc.Arbitrary<RoomChange> = fc.record(
      {
        name: fc.constantFrom('A', 'B'),
        recordingSettings: fc.record(
          {
            enabled: fc.boolean(),
            retentionDays: fc.option(fc.constantFrom(1, 2)),
            layout: fc.constantFrom('GRID', 'SPEAKER'),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(change, fc.nat(100))), (changes) => {
        let room = newRoom(id, { name: 'A' }, 50);
        for (const [each, at] of changes) {
          const next = changeRoom(room, each, at);
          expect(next.updatedAt).toBeGreaterThanOrEqual(room.updatedAt);
          expect(changeRoom(next, each, at + 1)).toBe(next);
          room = next;
        }
      }),
    );
  });
});
