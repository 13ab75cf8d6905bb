import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphQLTypesLoader } from '@nestjs/graphql';
import { buildSchema, isObjectType, parse, validate } from 'graphql';
import ts from 'typescript';
import { TYPE_PATHS } from '../../src/graphql/graphql.module.js';

const DOCS = join(__dirname, '../../docs');
const PAGE = readFileSync(join(DOCS, 'clients.md'), 'utf8');
const EXAMPLE = readFileSync(join(DOCS, 'examples/apollo-client.ts'), 'utf8');

/** The names of types in the row of the table that begins like this. */
function typesIn(row: string): string[] {
  const line = PAGE.split('\n').find((text) => text.startsWith(`| ${row}`)) ?? '';
  const [, , types = ''] = line.split('|');
  return [...types.matchAll(/`(\w+)`/g)].map(([, name]) => name!).sort();
}

describe('what the docs tell other clients', () => {
  let served: ReturnType<typeof buildSchema>;
  beforeAll(async () => {
    served = buildSchema(String(await new GraphQLTypesLoader().mergeTypesByPaths([...TYPE_PATHS])));
  });

  it('names every type of the schema: with an id, with another key, or with none', () => {
    const roots = ['Query', 'Mutation', 'Subscription'];
    const types = Object.values(served.getTypeMap())
      .filter(isObjectType)
      .filter(({ name }) => !name.startsWith('__') && !roots.includes(name));
    const withId = types.filter((type) => 'id' in type.getFields()).map(({ name }) => name);
    expect(typesIn('an `id`')).toEqual(withId.sort());
    expect([...typesIn('another key'), ...typesIn('none')].sort()).toEqual(
      types
        .filter((type) => !('id' in type.getFields()))
        .map(({ name }) => name)
        .sort(),
    );
    expect(urqlKeys()).toEqual([...typesIn('another key'), ...typesIn('none')].sort());
  });

  it('is an example whose types are right', () => {
    const path = join(DOCS, 'examples/tsconfig.json');
    const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name));
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, join(DOCS, 'examples'));
    const program = ts.createProgram(fileNames, options);
    const faults = ts.getPreEmitDiagnostics(program);
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
    expect(fileNames).not.toEqual([]);
  });

  it('is an example whose operations are valid on the schema that is served', () => {
    const texts = [...EXAMPLE.matchAll(/gql`([^`]+)`/g)].map(([, text]) => text!.replace(/\$\{\w+\}/g, ''));
    const [fragment = '', ...others] = texts;
    const operations = others.filter((text) => !text.trim().startsWith('fragment'));
    expect(operations).toHaveLength(3);
    const faults = operations.flatMap((text) =>
      validate(served, parse(text.includes('...Seen') ? text + fragment : text)),
    );
    expect(faults).toEqual([]);
  });
});

/** The types in the example of urql's keys. */
function urqlKeys(): string[] {
  const [, keys = ''] = /keys: \{([^}]+)\}/.exec(PAGE) ?? [];
  return [...keys.matchAll(/^\s*(\w+):/gm)].map(([, name]) => name!).sort();
}
