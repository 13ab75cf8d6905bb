import { BOUNDS } from '../kernel/bounds.js';
import { GraphQLError, type GraphQLScalarType, parseValue } from 'graphql';
import { dateTime, jsonObject, safeInt } from './scalars.js';

const asVariable = (scalar: GraphQLScalarType, value: unknown): unknown => scalar.parseValue(value);
const asLiteral = (scalar: GraphQLScalarType, text: string): unknown =>
  scalar.parseLiteral(parseValue(text), { v: 'given' });

describe('DateTime', () => {
  it.each([
    ['2026-11-22T10:15:30.123Z', Date.UTC(2026, 10, 22, 10, 15, 30, 123)],
    ['2026-11-22T10:15:30Z', Date.UTC(2026, 10, 22, 10, 15, 30)],
    ['2026-11-22t10:15:30z', Date.UTC(2026, 10, 22, 10, 15, 30)],
    ['2026-11-22T10:15:30.1Z', Date.UTC(2026, 10, 22, 10, 15, 30, 100)],
    ['2026-11-22T10:15:30.123999999Z', Date.UTC(2026, 10, 22, 10, 15, 30, 123)],
    ['2026-11-22T10:15:30+05:30', Date.UTC(2026, 10, 22, 4, 45, 30)],
    ['2026-11-22T23:15:30-01:00', Date.UTC(2026, 10, 23, 0, 15, 30)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1969-12-31T23:59:59Z', -1000],
    ['0099-01-01T00:00:00Z', -59042995200000],
  ])('%s is read as the instant it is', (text, instant) => {
    expect(asVariable(dateTime, text)).toBe(instant);
    expect(asLiteral(dateTime, JSON.stringify(text))).toBe(instant);
  });

  it.each([
    '2026-11-22',
    '2026-11-22T10:15:30',
    '2026-11-22 10:15:30Z',
    '2026-11-22T10:15Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-11-22T24:00:00Z',
    '2026-11-22T10:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-11-22T10:15:30.Z',
    '2026-11-22T10:15:30+24:00',
    '2026-11-22T10:15:30+0530',
    '+02026-11-22T10:15:30Z',
    ' 2026-11-22T10:15:30Z',
    '2026-11-22T10:15:30Z\n',
    'yesterday',
    '',
    1_700_000_000_000,
    null,
    {},
  ])('%j is refused as a DateTime', (value) => {
    expect(() => asVariable(dateTime, value)).toThrow(GraphQLError);
  });

  it('shows ms since the epoch in UTC with milliseconds', () => {
    expect(dateTime.serialize(Date.UTC(2026, 10, 22, 10, 15, 30))).toBe('2026-11-22T10:15:30.000Z');
  });

  it.each(['2026-11-22T10:15:30Z', Number.NaN, undefined])(
    '%s of ours is no instant, and not the client at fault',
    (value) => {
      const show = (): unknown => dateTime.serialize(value);
      expect(show).toThrow(/instant|time/);
      expect(show).not.toThrow(GraphQLError);
    },
  );
});

describe('SafeInt', () => {
  it.each([0, 1, 4_294_967_296, Number.MAX_SAFE_INTEGER])('%d goes in and out as it is', (value) => {
    expect(asVariable(safeInt, value)).toBe(value);
    expect(asLiteral(safeInt, String(value))).toBe(value);
    expect(safeInt.serialize(value)).toBe(value);
  });

  it.each([-1, 1.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, '5', true, null, [1]])(
    '%j is refused',
    (value) => {
      expect(() => asVariable(safeInt, value)).toThrow(GraphQLError);
      expect(() => safeInt.serialize(value)).toThrow(TypeError);
    },
  );

  it.each(['-1', '1.0', '1e3', '9007199254740992', '"5"', 'true'])('the literal %s is refused', (text) => {
    expect(() => asLiteral(safeInt, text)).toThrow(GraphQLError);
  });
});

describe('JSONObject', () => {
  it('a literal is read with all kinds of values, and variables in it', () => {
    expect(asLiteral(jsonObject, '{a: 1, b: -2.5, c: "x", d: [true, null], e: {f: $v, g: $unset}}')).toEqual({
      a: 1,
      b: -2.5,
      c: 'x',
      d: [true, null],
      e: { f: 'given', g: null },
    });
  });

  it('a key called __proto__ is a key like any other', () => {
    const read = asLiteral(jsonObject, '{__proto__: {admin: true}}');
    expect(Object.keys(read as object)).toEqual(['__proto__']);
    expect((read as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each([[['a']], ['text'], [5], [true], [null]])('%j is refused', (value) => {
    expect(() => asVariable(jsonObject, value)).toThrow(GraphQLError);
  });

  it.each(['[1]', '"text"', '5', 'null', '{a: NAME}'])('the literal %s is refused', (text) => {
    expect(() => asLiteral(jsonObject, text)).toThrow(GraphQLError);
  });

  it('takes as many bytes as it may have and not one more, counted in UTF-8', () => {
    const ofBytes = (bytes: number): object => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });
    expect(asVariable(jsonObject, ofBytes(BOUNDS.jsonBytes))).toEqual(ofBytes(BOUNDS.jsonBytes));
    expect(() => asVariable(jsonObject, ofBytes(BOUNDS.jsonBytes + 1))).toThrow('at most 8192 bytes');
    expect(() => asVariable(jsonObject, { a: 'ü'.repeat(BOUNDS.jsonBytes / 2) })).toThrow(
      'at most 8192 bytes',
    );
  });

  it('nested deeper than any stack is refused like any other that is too large', () => {
    let deep: object = {};
    for (let level = 0; level < 100_000; level += 1) deep = { a: deep };
    expect(() => asVariable(jsonObject, deep)).toThrow('at most 8192 bytes');
  });
});
