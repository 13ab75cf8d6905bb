import { aRecording, T0 } from '../../../test/support/builders.js';
import { whatHolds } from './room-held.js';

describe('what holds a room', () => {
  const said = (fields: Parameters<typeof aRecording>[0], at = T0): string => {
    const holder = aRecording(fields);
    return whatHolds(holder.roomId, holder.id, holder, at);
  };
  const recovery = { since: T0, askedAt: null, otherwise: { status: 'FAILED', error: null } } as const;
  const ended = { status: 'FAILED', endedAt: T0 } as const;

  it.each([
    [
      'a recording in progress',
      said({ status: 'ACTIVE' }),
      /already being recorded .*stop that recording first/,
    ],
    [
      'a start that is under way',
      said({ status: 'STARTING' }),
      /already being recorded .*stop that recording first/,
    ],
    [
      'one whose segments are joined',
      said({ status: 'ENDING', upkeep: { recovery, startPendingUntil: T0 } }),
      /is ENDING; the room is free as soon as/,
    ],
    ['one that is ending', said({ status: 'ENDING' }), /still ending .*uploaded.*try again/],
    [
      'an egress that outlives its recording',
      said({ ...ended, upkeep: { egresses: { EG_1: 'live' } } }),
      /is FAILED, but its egress is still ending/,
    ],
    [
      'a start that LiveKit may still accept',
      said({ ...ended, upkeep: { startAnswer: 'unanswered', startPendingUntil: T0 + 40_000 } }),
      /may still accept its start request until 2026-11-22T10:00:40\.000Z/,
    ],
    [
      'a start whose list was not read yet',
      said({ ...ended, upkeep: { startAnswer: 'unanswered', startPendingUntil: T0 } }, T0 + 1),
      /free as soon as LiveKit's list confirms/,
    ],
  ])('is applied of %s', (_what, text, expected) => {
    expect(text).toMatch(expected);
  });

  it('is told of a lock whose recording is gone', () => {
    const { roomId, id } = aRecording();
    expect(whatHolds(roomId, id, null, T0)).toContain('still locked');
  });
});
