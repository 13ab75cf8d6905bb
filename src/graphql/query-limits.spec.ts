import { buildSchema, getIntrospectionQuery, getOperationAST, parse, validate } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { isTallyError } from '../kernel/errors.js';
import { refuseTooMuch } from './query-limits.js';

const schema = buildSchema(/* GraphQL */ `
  type Query {
    rooms(first: Int = 20): Rooms!
    room(id: ID!): Room
    sweeps: [Room!]!
  }
  type Rooms {
    nodes: [Room!]!
    edges: [RoomEdge!]!
  }
  type RoomEdge {
    cursor: String!
    node: Room!
  }
  type Room {
    id: ID!
    twin: Room
    recordings(first: Int = 20): Recordings!
  }
  type Recordings {
    nodes: [Recording!]!
    edges: [RecordingEdge!]!
  }
  type RecordingEdge {
    node: Recording!
  }
  type Recording {
    id: ID!
    room: Room
    history(first: Int = 50): Recordings!
    tags(first: Int = 100): [ID!]!
  }
`);

/** 'allowed', or the words of the refusal. */
function outcome(query: string, variables: Record<string, unknown> = {}): string {
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('the test has no operation');
  try {
    refuseTooMuch(schema, document, operation, variables);
    return 'allowed';
  } catch (error) {
    return isTallyError(error, 'BAD_USER_INPUT') ? error.message : `not a refusal: ${String(error)}`;
  }
}

const nested = (levels: number): string => 'twin {'.repeat(levels) + 'id' + '}'.repeat(levels);

describe('what one operation may ask for', () => {
  it.each([
    ['a page of everything', '{ rooms(first: 100) { edges { cursor node { id twin { id } } } } }'],
    [
      'pages in a page',
      '{ rooms(first: 100) { nodes { recordings(first: 100) { edges { node { id } } } } } }',
    ],
    [
      'histories of a page',
      '{ rooms(first: 1) { nodes { recordings(first: 100) { nodes { id tags history(first: 100) { edges { node { id } } } } } } } }',
    ],
    [
      'the whole schema',
      getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true, oneOf: true }),
    ],
    ['a page too long, which its resolver refuses,', '{ rooms(first: 1000000) { nodes { id } } }'],
  ])('%s is allowed', (_, query) => {
    expect(outcome(query)).toBe('allowed');
  });

  const threeDeep = (first: string): string =>
    `{ nodes { recordings${first} { nodes { history${first} { nodes { id } } } } } }`;
  it.each([
    ['pages in pages in pages', `{ rooms(first: 100) ${threeDeep('(first: 100)')} }`, {}],
    ['the same by variables', `query($n: Int) { rooms(first: $n) ${threeDeep('(first: $n)')} }`, { n: 100 }],
    [
      'the same by the defaults of variables',
      `query($n: Int = 100) { rooms(first: $n) ${threeDeep('(first: $n)')} }`,
      {},
    ],
    ['the same by the defaults of the schema', `{ rooms(first: 100) ${threeDeep('')} }`, {}],
    [
      'the same by aliases',
      `{ ${Array.from({ length: 50 }, (_, i) => `a${i}: rooms(first: 100) { nodes { recordings(first: 20) { nodes { id } } } }`).join(' ')} }`,
      {},
    ],
    [
      'the same by fragments',
      `query { rooms(first: 100) { ...A } } fragment A on Rooms { nodes { ... on Room { recordings(first: 100) { ...B } } } } fragment B on Recordings { nodes { history(first: 100) { nodes { id } } } }`,
      {},
    ],
    [
      'introspection of introspection',
      `{ ${Array.from({ length: 90 }, (_, i) => `a${i}: __schema { types { fields { type { fields { type { name } } } } } }`).join(' ')} }`,
      {},
    ],
  ])('%s are refused with what to do', (_, query, variables) => {
    expect(outcome(query, variables)).toMatch(/too many objects at once; ask for smaller pages/);
  });

  it('a page whose length is no number counts as a long one', () => {
    expect(
      outcome('query($n: Int) { rooms(first: $n) { nodes { recordings(first: $n) { nodes { id } } } } }', {
        n: 'x',
      }),
    ).toMatch(/too many objects/);
  });

  it(`is nested ${BOUNDS.depth} levels deep and no deeper`, () => {
    expect(outcome(`{ room(id: "a") { ${nested(BOUNDS.depth - 1)} } }`)).toBe('allowed');
    expect(outcome(`{ room(id: "a") { ${nested(BOUNDS.depth)} } }`)).toMatch(/nested deeper than/);
  });

  it(`has ${BOUNDS.aliases} aliases and no more`, () => {
    const aliased = (count: number): string =>
      `{ ${Array.from({ length: count }, (_, i) => `a${i}: room(id: "a") { id }`).join(' ')} }`;
    expect(outcome(aliased(BOUNDS.aliases))).toBe('allowed');
    expect(outcome(aliased(BOUNDS.aliases + 1))).toMatch(/aliases/);
  });

  it('fragments that double with every step are refused before they are all walked', () => {
    const steps = Array.from(
      { length: 40 },
      (_, i) => `fragment F${i} on Room { ...F${i + 1} ...F${i + 1} }`,
    );
    const query = `{ room(id: "a") { ...F0 } } ${steps.join(' ')} fragment F40 on Room { id }`;
    expect(outcome(query)).toMatch(/spreads its fragments too often/);
  });
});
