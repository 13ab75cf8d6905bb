import { encodeCursor } from '../../kernel/cursor.js';
import { TallyError } from '../../kernel/errors.js';
import { toCreateRoomRequest, toRoomQuery, toUpdateRoomRequest } from './room.input.js';

function refusalOf(work: () => unknown): [code: string, field: string | undefined] | unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof TallyError) return [error.code, error.subject.field];
    throw error;
  }
}
const refuses = (field: string): [string, string] => ['BAD_USER_INPUT', field];

describe('the input of createRoom', () => {
  it('may leave out the id and the settings, or give null for them', () => {
    const expected = { id: null, name: 'A', recordingSettings: {} };
    expect(toCreateRoomRequest({ name: 'A' })).toEqual(expected);
    expect(toCreateRoomRequest({ name: 'A', id: null, recordingSettings: null })).toEqual(expected);
  });

  it.each([
    [{ name: 'A', id: '' }, 'input.id'],
    [{ name: 'A', id: 'a\nroom' }, 'input.id'],
    [{ name: 'A', id: 'a\ud800' }, 'input.id'],
    [{ name: 'A', id: 'x'.repeat(257) }, 'input.id'],
    [{ name: ' ' }, 'input.name'],
    [{ name: 'A', recordingSettings: { enabled: null } }, 'input.recordingSettings.enabled'],
    [{ name: 'A', recordingSettings: { layout: null } }, 'input.recordingSettings.layout'],
    [{ name: 'A', recordingSettings: { preset: null } }, 'input.recordingSettings.preset'],
    [{ name: 'A', recordingSettings: { audioOnly: null } }, 'input.recordingSettings.audioOnly'],
    [{ name: 'A', recordingSettings: { restartWhenLost: null } }, 'input.recordingSettings.restartWhenLost'],
    [{ name: 'A', recordingSettings: { maxDurationMs: 0 } }, 'input.recordingSettings.maxDurationMs'],
    [{ name: 'A', recordingSettings: { retentionDays: 0 } }, 'input.recordingSettings.retentionDays'],
    [{ name: 'A', recordingSettings: { retentionDays: -1 } }, 'input.recordingSettings.retentionDays'],
    [{ name: 'A', recordingSettings: { retentionDays: 36_501 } }, 'input.recordingSettings.retentionDays'],
  ])('%j is refused for %s', (input, field) => {
    expect(refusalOf(() => toCreateRoomRequest(input))).toEqual(refuses(field));
  });
});

describe('the input of updateRoom', () => {
  it('changes what it names: null is a value where there can be none, and leaving out is no value', () => {
    const input = { id: 'a', recordingSettings: { maxDurationMs: null, retentionDays: undefined } };
    expect(toUpdateRoomRequest(input)).toEqual({
      id: 'a',
      change: { recordingSettings: { maxDurationMs: null } },
    });
    expect(toUpdateRoomRequest({ id: 'a', name: ' B ' })).toEqual({ id: 'a', change: { name: 'B' } });
  });

  it.each([
    [{ id: 'a', name: null }, 'input.name'],
    [{ id: 'a', recordingSettings: null }, 'input.recordingSettings'],
    [{ id: 'a', recordingSettings: { enabled: null } }, 'input.recordingSettings.enabled'],
  ])('%j is refused for %s', (input, field) => {
    expect(refusalOf(() => toUpdateRoomRequest(input))).toEqual(refuses(field));
  });
});

describe('the arguments of rooms', () => {
  it('ask for twenty rooms from the first on unless they say otherwise', () => {
    const all = { nameContains: null, open: null, first: 20, after: null };
    expect(toRoomQuery({})).toEqual(all);
    expect(toRoomQuery({ nameContains: '', first: null, after: null })).toEqual(all);
    expect(toRoomQuery({ nameContains: 'x', first: 100, after: encodeCursor('rooms', ['a']) })).toEqual({
      nameContains: 'x',
      open: null,
      first: 100,
      after: 'a',
    });
  });

  it.each([0, -1, 101])('%d rooms on a page are refused', (first) => {
    expect(refusalOf(() => toRoomQuery({ first }))).toEqual(refuses('first'));
  });

  it.each([
    '',
    'nonsense',
    encodeCursor('recordings', ['a']),
    encodeCursor('rooms', []),
    encodeCursor('rooms', [7]),
    encodeCursor('rooms', ['no\nroom']),
  ])('a cursor %j that the list never gave is refused', (after) => {
    expect(refusalOf(() => toRoomQuery({ after }))).toEqual(['CURSOR_INVALID', undefined]);
  });
});
