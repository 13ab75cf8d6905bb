import { Logger } from '@nestjs/common';
import { buildSchema, graphql } from 'graphql';
import { TallyError } from '../kernel/errors.js';
import { GraphqlErrors, asGraphqlError } from './graphql-errors.js';

const schema = buildSchema(/* GraphQL */ `
  type Query {
    list(filter: Filter, first: Int = 20): [String!]
    one(id: ID!): String
    thrown: String
  }
  input Filter {
    roomId: ID!
    statuses: [Status!]
    inner: Filter
  }
  enum Status {
    ACTIVE
    ENDING
  }
`);

/** What the client gets as the first error's extensions and message. */
async function firstError(source: string, variableValues: Record<string, unknown> = {}, thrown?: unknown) {
  const rootValue = { thrown: () => Promise.reject(thrown) };
  const { errors } = await graphql({ schema, source, variableValues, rootValue });
  if (!errors?.[0]) throw new Error('nothing went wrong');
  return new GraphqlErrors().toClient(errors[0]);
}

describe('errors that reach a GraphQL client', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['log', 'warn', 'error']));

  it.each<[string, string, Record<string, unknown>, string | undefined]>([
    ['text that is no GraphQL', '{ list(', {}, undefined],
    ['an unknown field', '{ nothing }', {}, undefined],
    ['an unknown argument', '{ list(last: 3) }', {}, 'last'],
    ['a missing argument', '{ one }', {}, 'id'],
    ['a literal of the wrong type', '{ list(first: "x") }', {}, 'first'],
    [
      'a literal deep inside',
      '{ list(filter: {roomId: "a", inner: {roomId: "b", statuses: [NO]}}) }',
      {},
      'filter.inner.statuses',
    ],
    ['a literal without a required field', '{ list(filter: {inner: {roomId: "a"}}) }', {}, 'filter.roomId'],
    ['a literal with an unknown field', '{ list(filter: {roomId: "a", color: "red"}) }', {}, 'filter.color'],
    ['a variable of the wrong type', 'query($first: Int) { list(first: $first) }', { first: 'x' }, 'first'],
    ['a variable of another name', 'query($n: Int) { list(first: $n) }', { n: 'x' }, 'first'],
    ['a missing variable', 'query($id: ID!) { one(id: $id) }', {}, 'id'],
    [
      'a variable with a fault inside',
      'query($f: Filter) { list(filter: $f) }',
      { f: { roomId: 'a', inner: { roomId: 'b', statuses: ['ACTIVE', 'NO'] } } },
      'filter.inner.statuses[1]',
    ],
    [
      'a variable without a required field',
      'query($f: Filter) { list(filter: $f) }',
      { f: { inner: { roomId: 'b' } } },
      'filter.roomId',
    ],
    [
      'a variable with an unknown field',
      'query($f: Filter) { list(filter: $f) }',
      { f: { roomId: 'a', color: 'red' } },
      'filter.color',
    ],
    [
      'a variable within a literal',
      'query($s: [Status!]) { list(filter: {roomId: "a", statuses: $s}) }',
      { s: ['NO'] },
      'filter.statuses[0]',
    ],
    ['no such operation', 'query A { one(id: "a") } query B { one(id: "b") }', {}, undefined],
  ])('%s is bad input, and names the field', async (_, source, variables, field) => {
    const { extensions } = await firstError(source, variables);
    expect(extensions).toEqual({ code: 'BAD_USER_INPUT', field });
  });

  it('a refusal keeps its words, its code and what it is about, and nothing of its cause', async () => {
    const thrown = new TallyError('RECORDING_NOT_STOPPED', 'recording rec_1 is ACTIVE; stop it first', {
      recordingId: 'rec_1',
      cause: new Error('at /srv/secret'),
    });
    expect(await firstError('{ thrown }', {}, thrown)).toEqual({
      message: 'recording rec_1 is ACTIVE; stop it first',
      locations: [{ line: 1, column: 3 }],
      path: ['thrown'],
      extensions: { code: 'RECORDING_NOT_STOPPED', recordingId: 'rec_1' },
    });
  });

  it.each([
    new Error('at /srv/secret with tl_secret'),
    'text with tl_secret',
    { secret: 'tl_secret' },
    undefined,
  ])('anything else that is thrown (%s) says nothing about itself', async (thrown) => {
    const told = await firstError('{ thrown }', {}, thrown);
    expect(told.extensions).toEqual({ code: 'INTERNAL' });
    expect(JSON.stringify(told)).not.toMatch(/secret/);
  });

  it('what the client sent is not repeated without end', async () => {
    const told = await firstError('query($first: Int) { list(first: $first) }', {
      first: 'x'.repeat(50_000),
    });
    expect(told.message.length).toBeLessThanOrEqual(1_000);
  });

  it('an error from outside of an operation is worded the same way', () => {
    const told = new GraphqlErrors().toClient(
      asGraphqlError(new TallyError('REDIS_UNAVAILABLE', 'Redis is away')),
    );
    expect(told).toEqual({ message: 'Redis is away', extensions: { code: 'REDIS_UNAVAILABLE' } });
  });
});
