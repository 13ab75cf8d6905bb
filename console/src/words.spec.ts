import { dateWords, lengthWords, outcomeOf, presetWords, sizeWords, spanWords } from './words.js';

describe('words for people', () => {
  test('a status is told by what a person needs of it', () => {
    expect(outcomeOf({ status: 'ABORTED', endReason: 'START_CANCELLED' }).tone).toBe('off');
    expect(outcomeOf({ status: 'ABORTED', endReason: 'STALE' })).toMatchObject({ word: 'Lost', tone: 'bad' });
    expect(outcomeOf({ status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED' })).toEqual({
      word: 'Limit reached',
      tone: 'warn',
      why: '',
    });
    expect(outcomeOf({ status: 'COMPLETE', endReason: 'RECORDER_LOST' }).tone).toBe('warn');
    expect(outcomeOf({ status: 'COMPLETE', endReason: 'STOP_REQUESTED' }).tone).toBe('good');
    expect(outcomeOf({ status: 'FAILED', endReason: 'START_TIMEOUT' }).tone).toBe('bad');
  });

  test('lengths, spans and sizes', () => {
    expect([42_000, 725_000, 3_723_000].map(lengthWords)).toEqual(['0:42', '12:05', '1:02:03']);
    expect([400, 42_000, 720_000, 4_800_000].map(spanWords)).toEqual(['0.4 s', '42 s', '12 min', '80 min']);
    expect([812, 1_400_000, 647_000].map(sizeWords)).toEqual(['812 B', '1.4 MB', '647 kB']);
    expect(presetWords('PORTRAIT_H264_720P_30')).toBe('720p, 30 fps, portrait');
  });

  test('a date is as short as it can be', () => {
    const now = new Date(2026, 10, 27, 12, 0).getTime();
    expect(dateWords(new Date(2026, 10, 27, 9, 5).toISOString(), now)).toBe('09:05');
    expect(dateWords(new Date(2026, 10, 26, 9, 5).toISOString(), now)).toBe('yesterday 09:05');
    expect(dateWords(new Date(2025, 10, 26, 9, 5).toISOString(), now)).toMatch(/2025/);
  });
});
