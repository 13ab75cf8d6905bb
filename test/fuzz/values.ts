import fc from 'fast-check';
import {
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql';
import type { Facts } from './world.js';

const LONG = [129, 257, 1_001, 8_193, 70_000];
const EVIL = [
  ...['', ' ', '\0', '\n', '\u001b[31m', '\u202e', '\ud800', '\udc00x', '😀', 'e\u0301', '\ufeff'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', '-0', '1e999'],
  ...['../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%00', '%', '%ff', '//', '.', '..', '*', '?', '[a-z]'],
  ...['{tl}:rooms', "'; DROP", '${7*7}', '{{7*7}}', '<script>', '$gt', '\r\nX-A: b', '"', '\\', '\\u0000'],
  ...[
    'rec_',
    'rec_00000000000000000000000000',
    'del_00000000000000000000000000',
    'key_7ZZZZZZZZZZZZZZZZZZZZZZZZZ',
  ],
];

/** Any text, most of it such as somebody would try. */
export function anyText(facts: Facts): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...facts.ids) },
    { weight: 3, arbitrary: fc.constantFrom(...EVIL) },
    { weight: 2, arbitrary: fc.constantFrom(...facts.cursors) },
    { weight: 2, arbitrary: fc.string({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    { weight: 1, arbitrary: bent(fc.constantFrom(...facts.ids, ...facts.cursors)) },
    { weight: 1, arbitrary: repeated },
  );
}

const repeated: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('a', ' ', 'é', '😀', '\u0300', '(', 'a ', '%61', '.', '/'), fc.constantFrom(...LONG))
  .map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)));

/** A text with something put in, taken out or doubled. */
export function bent(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.nat(200), fc.nat(4), fc.constantFrom('', 'A', '=', '\0', '.', 'é', '~'))
    .map(([whole, at, gone, put]) => {
      const cut = whole.length === 0 ? 0 : at % whole.length;
      return `${whole.slice(0, cut)}${put}${whole.slice(cut + gone)}`;
    });
}

const anyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(-1, 0, 1, 2, 20, 50, 99, 100, 101, 1_000, 3_600, 86_400, 86_401, 31_536_001),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 2 ** 53, 1e308, 0.5, -0),
  fc.integer(),
);

const anyInstant: fc.Arbitrary<string> = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '2026-11-22T10:15:30.123Z',
    '2099-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:60Z',
  ),
  fc.constantFrom(
    '2026-02-30T00:00:00Z',
    '2026-11-22T10:15:30+99:99',
    '+275760-09-13T00:00:00Z',
    'now',
    `2026-11-22T10:15:30.${'1'.repeat(70)}Z`,
  ),
);

const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.object({ maxDepth: 3, withNullPrototype: false }),
  fc.dictionary(fc.string({ maxLength: 70 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 40 }),
  fc.constantFrom<unknown>(
    { a: 'x'.repeat(9_000) },
    { ['__proto__']: 1 },
    JSON.parse('{"__proto__":{"a":1}}'),
    nested(40),
    [],
  ),
);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = { a: value };
  return value;
}

/** A value for an input of this type: mostly one of it, sometimes anything. */
export function valueFor(type: GraphQLInputType, facts: Facts, depth = 0): fc.Arbitrary<unknown> {
  const good = goodFor(type, facts, depth);
  const other = isNonNullType(type) ? anyJson : fc.constant(null);
  return fc.oneof(
    { weight: 14, arbitrary: good },
    { weight: 1, arbitrary: other },
    { weight: 1, arbitrary: fc.oneof(anyText(facts), anyNumber, fc.boolean(), anyJson) },
  );
}

function goodFor(type: GraphQLInputType, facts: Facts, depth: number): fc.Arbitrary<unknown> {
  const bare = getNullableType(type);
  if (isListType(bare)) return listOf(valueFor(bare.ofType, facts, depth + 1));
  if (isEnumType(bare)) {
    const names = bare.getValues().map(({ name }) => name);
    return fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...names) },
      fc.constantFrom('NONE', names[0]?.toLowerCase()),
    );
  }
  if (isInputObjectType(bare)) {
    const fields = Object.values(bare.getFields());
    const required = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name);
    const values = Object.fromEntries(
      fields.map((field) => [field.name, valueFor(field.type, facts, depth + 1)]),
    );
    return fc.oneof(
      { weight: 9, arbitrary: fc.record(values, { requiredKeys: required }) },
      { weight: 1, arbitrary: fc.record({ ...values, unknown: fc.boolean() }, { requiredKeys: [] }) },
    );
  }
  return isScalarType(bare) ? scalar(bare.name, facts) : anyJson;
}

function listOf(entry: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.array(entry, { maxLength: 4 }) },
    { weight: 1, arbitrary: entry },
    {
      weight: 1,
      arbitrary: fc
        .tuple(entry, fc.constantFrom(101, 1_000, 1_001, 2_001))
        .map(([one, length]) => Array.from({ length }, () => one)),
    },
  );
}

function scalar(name: string, facts: Facts): fc.Arbitrary<unknown> {
  switch (name) {
    case 'Int':
    case 'SafeInt':
    case 'Float':
      return anyNumber;
    case 'Boolean':
      return fc.boolean();
    case 'DateTime':
      return fc.oneof({ weight: 4, arbitrary: anyInstant }, anyText(facts));
    case 'JSONObject':
      return anyJson;
    default:
      return anyText(facts);
  }
}
