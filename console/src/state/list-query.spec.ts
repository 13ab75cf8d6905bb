import { readQuery, sortText, toFilter } from './list-query.js';

const at = (query: string): ReturnType<typeof readQuery> => readQuery(new URLSearchParams(query));
const NOW = Date.parse('2026-11-27T12:00:00.000Z');

describe('what the address of the list means', () => {
  test('nothing is every recording, newest first', () => {
    expect(toFilter(at(''), NOW)).toEqual({});
    expect(at('').sort).toEqual({ field: 'REQUESTED_AT', direction: 'DESC' });
  });

  test('what it can not mean is left out', () => {
    expect(toFilter(at('status=broken&reason=NO&since=ever&sort=colour.up'), NOW)).toEqual({});
  });

  test('words, status, reason, time, room and labels together', () => {
    const query = at(
      'q=stand up&status=cancelled&reason=STALE&since=hour&room=r 1&labels=course:physics,term:a:b',
    );
    expect(toFilter(query, NOW)).toEqual({
      search: 'stand up',
      statuses: ['ABORTED'],
      endReasons: ['STALE'],
      requestedAfter: '2026-11-27T11:00:00.000Z',
      roomId: 'r 1',
      labels: { course: 'physics', term: 'a:b' },
    });
  });

  test('an order is read back as it was written', () => {
    for (const sort of ['size.asc', 'duration.desc', 'requested_at.asc']) {
      expect(sortText(at(`sort=${sort}`).sort)).toBe(sort);
    }
    expect(sortText(at('').sort)).toBeNull();
  });
});
