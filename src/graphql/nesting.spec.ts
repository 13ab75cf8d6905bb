import { getIntrospectionQuery } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { refuseDeepNesting } from './nesting.js';

describe('brackets in a document', () => {
  const within = (depth: number): string =>
    `{ room(id: ${'['.repeat(depth - 2)}1${']'.repeat(depth - 2)}) { id } }`;

  it.each([
    getIntrospectionQuery(),
    within(BOUNDS.nesting),
    `{ room(id: "${'['.repeat(1_000)}") { id } }`,
    `# ${'{'.repeat(1_000)}\n{ viewer { name } }`,
    // What is no document is the parser's to refuse.
    '{ a ? }',
    '"',
    '',
  ])('%.60j passes', (text) => {
    expect(() => refuseDeepNesting(text)).not.toThrow();
  });

  it.each([within(BOUNDS.nesting + 1), '{'.repeat(200_000), '{a'.repeat(1_500), '('.repeat(150)])(
    '%.60j is refused before it is parsed',
    (text) => {
      expect(() => refuseDeepNesting(text)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    },
  );
});
