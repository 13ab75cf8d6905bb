import { buildSchema, type GraphQLObjectType, parse } from 'graphql';
import type { Actor } from '../kernel/actor.js';
import type { GraphqlErrors } from './graphql-errors.js';
import { SharedAnswers } from './shared-answers.js';

const schema = buildSchema(`
  type Query { a: Int }
  type Happening { n: Int!  who: String  times(by: Int!): Int! }
  type Subscription { happens(room: ID, all: Boolean): Happening! }
`);
const fields = (schema.getType('Happening') as GraphQLObjectType).getFields();
fields['who']!.resolve = (_source, _args, { actor }: { actor: Actor }) => actor.name;

describe('answers to one event', () => {
  const errors = { toClient: (error: Error) => ({ message: error.message }) } as unknown as GraphqlErrors;
  const actor = (name: string): Actor => ({ name }) as Actor;
  let reads: number;
  let event: object;
  let answers: SharedAnswers;
  beforeEach(() => {
    reads = 0;
    event = {
      happens: {
        get n() {
          return (reads += 1);
        },
        times: ({ by }: { by: number }) => by * 10,
      },
    };
    answers = new SharedAnswers(errors);
  });
  const documents = new Map<string, ReturnType<typeof parse>>();
  const told = async (
    query: string,
    name = 'a',
    variables: Record<string, unknown> = {},
  ): Promise<unknown> => {
    const document = documents.get(query) ?? parse(query);
    documents.set(query, document);
    const contextValue = { actor: actor(name) };
    const asked = answers.asked({ schema, document, variableValues: variables, contextValue });
    const { data, errors: faults } = JSON.parse(await answers.of(event, asked)) as {
      data: { happens: unknown };
      errors?: unknown;
    };
    return faults ?? data.happens;
  };

  it('are made once for all who ask the same, whoever they are and wherever they began', async () => {
    const query = 'subscription ($room: ID, $all: Boolean) { happens(room: $room, all: $all) { n } }';
    expect(await told(query, 'a', { room: 'r' })).toEqual({ n: 1 });
    expect(await told(query, 'b', { room: 's', all: true })).toEqual({ n: 1 });
    expect(reads).toBe(1);
  });

  it('are each one’s own where a field may depend on who asks', async () => {
    const query = 'subscription { happens { n who } }';
    expect(await told(query, 'a')).toEqual({ n: 1, who: 'a' });
    expect(await told(query, 'b')).toEqual({ n: 2, who: 'b' });
    expect(await told(query, 'a')).toEqual({ n: 1, who: 'a' });
  });

  it('are other ones for other fields, variables and operations', async () => {
    const query = 'subscription ($by: Int!) { happens { times(by: $by) } }';
    expect(await told(query, 'a', { by: 1 })).toEqual({ times: 10 });
    expect(await told(query, 'a', { by: 2 })).toEqual({ times: 20 });
    const included =
      'subscription ($n: Boolean!) { happens { ...F @include(if: $n) __typename } } fragment F on Happening { n }';
    expect(await told(included, 'a', { n: true })).toEqual({ n: 1, __typename: 'Happening' });
    expect(await told(included, 'a', { n: false })).toEqual({ __typename: 'Happening' });
  });

  it('tell what failed', async () => {
    event = { happens: null };
    expect(await told('subscription { happens { n } }')).toEqual([
      { message: expect.stringContaining('non-nullable') },
    ]);
  });

  it('are not kept for ever', async () => {
    const query = 'subscription { happens { n } }';
    await told(query);
    const first = event;
    for (let i = 0; i < 100; i += 1) {
      event = { happens: { n: 0 } };
      await told(query);
    }
    event = first;
    expect(await told(query)).toEqual({ n: 2 });
  });
});
