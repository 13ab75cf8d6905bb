import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { minifyIntrospection, outputIntrospectionFile } from '@gql.tada/internal';
import { buildSchema, introspectionFromSchema } from 'graphql';

test('the types that operations are checked by are those of the contract: node scripts/console-types.mjs makes them', () => {
  const contract = readFileSync(join(__dirname, '../../../contract/schema.graphql'), 'utf8');
  const introspection = introspectionFromSchema(buildSchema(contract), { descriptions: false });
  const types = outputIntrospectionFile(minifyIntrospection(introspection), {
    fileType: '.d.ts',
    shouldPreprocess: true,
  });
  expect(readFileSync(join(__dirname, 'schema.d.ts'), 'utf8')).toBe(types);
});
