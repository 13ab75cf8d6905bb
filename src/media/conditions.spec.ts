import { checkConditions, type ConditionalHeaders, rangeHolds } from './conditions.js';
import { planAnswer } from './answer-plan.js';
import { toHttpDate } from './http-date.js';

const lastModifiedMs = Date.UTC(2026, 2, 4, 5, 6, 7) + 890;
const now = { etag: 'v2', lastModifiedMs };
const same = toHttpDate(lastModifiedMs);
const before = toHttpDate(lastModifiedMs - 1_000);
const after = toHttpDate(lastModifiedMs + 1_000);

describe('the preconditions of a request', () => {
  const cases: [string, ConditionalHeaders, string][] = [
    ['none', {}, 'proceed'],
    ['If-None-Match with the etag', { 'if-none-match': '"v2"' }, 'not-modified'],
    ['If-None-Match with the etag, weak', { 'if-none-match': 'W/"v2"' }, 'not-modified'],
    ['If-None-Match with a list', { 'if-none-match': '"v1", W/"v2","v3"' }, 'not-modified'],
    ['If-None-Match with a star', { 'if-none-match': ' * ' }, 'not-modified'],
    ['If-None-Match with another', { 'if-none-match': '"v1"' }, 'proceed'],
    ['If-None-Match with a tag that contains it', { 'if-none-match': '"v2,v3"' }, 'proceed'],
    ['If-None-Match without quotes', { 'if-none-match': 'v2' }, 'proceed'],
    ['If-Modified-Since of the same second', { 'if-modified-since': same }, 'not-modified'],
    ['If-Modified-Since later', { 'if-modified-since': after }, 'not-modified'],
    ['If-Modified-Since earlier', { 'if-modified-since': before }, 'proceed'],
    ['If-Modified-Since that is no date', { 'if-modified-since': 'soon' }, 'proceed'],
    [
      'If-None-Match before If-Modified-Since',
      { 'if-none-match': '"v1"', 'if-modified-since': after },
      'proceed',
    ],
    ['If-Match with the etag', { 'if-match': '"v1", "v2"' }, 'proceed'],
    ['If-Match with a star', { 'if-match': '*' }, 'proceed'],
    ['If-Match with another', { 'if-match': '"v1"' }, 'failed'],
    ['If-Match with the etag, weak', { 'if-match': 'W/"v2"' }, 'failed'],
    ['If-Unmodified-Since of the same second', { 'if-unmodified-since': same }, 'proceed'],
    ['If-Unmodified-Since earlier', { 'if-unmodified-since': before }, 'failed'],
    ['If-Unmodified-Since that is no date', { 'if-unmodified-since': 'ever' }, 'proceed'],
    ['If-Match before If-Unmodified-Since', { 'if-match': '"v2"', 'if-unmodified-since': before }, 'proceed'],
    ['If-Match before If-None-Match', { 'if-match': '"v1"', 'if-none-match': '"v2"' }, 'failed'],
    ['If-Match and then If-None-Match', { 'if-match': '"v2"', 'if-none-match': '"v2"' }, 'not-modified'],
  ];

  it.each(cases)('%s', (_name, headers, expected) => {
    expect(checkConditions(headers, now)).toBe(expected);
  });
});

describe('If-Range', () => {
  it.each([
    [undefined, true],
    ['"v2"', true],
    ['W/"v2"', false],
    ['"v1"', false],
    ['v2', false],
    [same, true],
    [before, false],
    [after, false],
    ['soon', false],
    ['', false],
  ])('%j lets a range hold: %s', (header, expected) => {
    expect(rangeHolds({ 'if-range': header }, now)).toBe(expected);
  });
});

describe('the plan of an answer', () => {
  const info = { key: 'k', sizeBytes: 10, ...now };
  const range = 'bytes=2-3';

  it('has a part only for a GET whose If-Range holds', () => {
    expect(planAnswer('GET', { range }, info)).toEqual({ kind: 'part', span: { first: 2, last: 3 } });
    expect(planAnswer('HEAD', { range }, info)).toEqual({ kind: 'whole' });
    expect(planAnswer('GET', { range, 'if-range': '"v1"' }, info)).toEqual({ kind: 'whole' });
    expect(planAnswer('GET', { range, 'if-range': '"v2"' }, info).kind).toBe('part');
    expect(planAnswer('GET', {}, info)).toEqual({ kind: 'whole' });
  });

  it('looks at conditions before ranges', () => {
    expect(planAnswer('GET', { range: 'bytes=99-', 'if-none-match': '"v2"' }, info).kind).toBe(
      'not-modified',
    );
    expect(planAnswer('GET', { range: 'bytes=99-', 'if-match': '"v1"' }, info).kind).toBe('failed');
    expect(planAnswer('GET', { range: 'bytes=99-', 'if-none-match': '"v1"' }, info).kind).toBe(
      'unsatisfiable',
    );
    expect(planAnswer('GET', { range: 'bytes=99-', 'if-range': '"v1"' }, info).kind).toBe('whole');
  });
});
