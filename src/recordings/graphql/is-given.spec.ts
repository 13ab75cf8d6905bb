import { graphqlSync, buildSchema, type GraphQLResolveInfo } from 'graphql';
import { isGiven } from './is-given.js';

const schema = buildSchema('type Query { field(seconds: Int = 3600): Boolean }');

function asked(source: string, variableValues: Record<string, unknown> = {}): unknown {
  const rootValue = {
    field: (_args: unknown, _context: unknown, info: GraphQLResolveInfo) => isGiven(info, 'seconds'),
  };
  return graphqlSync({ schema, source, rootValue, variableValues }).data?.field;
}

describe('an argument with a default', () => {
  it('is given where the caller wrote it, also as the default itself', () => {
    expect(asked('{ field(seconds: 3600) }')).toBe(true);
    expect(asked('query ($s: Int) { field(seconds: $s) }', { s: 3600 })).toBe(true);
    expect(asked('query ($s: Int = 60) { field(seconds: $s) }')).toBe(true);
  });

  it('is not given where it, or its variable, was left out', () => {
    expect(asked('{ field }')).toBe(false);
    expect(asked('query ($s: Int) { field(seconds: $s) }')).toBe(false);
  });
});
