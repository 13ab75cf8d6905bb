import { getOperationAST, parse } from 'graphql';
import { isTallyError } from '../kernel/errors.js';
import { refuseBadLiterals, refuseBadVariables } from './input-values.js';

/** 'allowed', or the words of the refusal. */
function outcome(query: string, variables: Record<string, unknown> = {}): string {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('the test has no operation');
  try {
    refuseBadLiterals(document);
    refuseBadVariables(operation, variables);
    return 'allowed';
  } catch (error) {
    return isTallyError(error, 'BAD_USER_INPUT') ? error.message : `not a refusal: ${String(error)}`;
  }
}

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
};

describe('values', () => {
  const any = 'query($v: JSONObject) { a(v: $v) }';

  it.each([
    ['NUL', 'a\0b', 'NUL'],
    ['half of a pair', 'a\ud800', 'pair'],
    ['a key with half of a pair', { '\udc00': 1 }, 'pair'],
    ['an infinite number', [1, Infinity], 'number'],
    ['a deep object', nested(100_000), 'deeper than 32'],
    ['a long list', Array.from({ length: 2_001 }, () => 1), 'at most 2000'],
    ['many values', Array.from({ length: 1_000 }, () => Array.from({ length: 100 }, () => 1)), 'values'],
  ])('with %s are refused', (_, value, words) => {
    expect(outcome(any, { v: value })).toContain(words);
  });

  it.each([nested(32), 'a \u{1f3a5} b', null, undefined, Array.from({ length: 2_000 }, () => 1)])(
    'that are fine are let through',
    (value) => {
      expect(outcome(any, { v: value })).toBe('allowed');
    },
  );

  it('of the document itself are looked at as well', () => {
    expect(outcome('{ a(v: "\\u0000") }')).toContain('NUL');
    expect(outcome('{ a(v: 1e999) }')).toContain('number');
    expect(outcome(`{ a(v: ${'['.repeat(40)}1${']'.repeat(40)}) }`)).toContain('deeper');
    expect(outcome('{ a(v: "fine", id: "\\u0000", input: {roomId: "\\u0000"}) }')).toBe('allowed');
  });

  it('that are ids may be anything: they are not found', () => {
    expect(outcome('query($v: ID!) { a(id: $v) }', { v: 'a\0b' })).toBe('allowed');
    expect(outcome('query($v: [ID!]!) { a(ids: $v) }', { v: ['a\ud800'] })).toBe('allowed');
    expect(outcome('query($v: I) { a(input: $v) }', { v: { roomId: 'a\0' } })).toBe('allowed');
  });
});
