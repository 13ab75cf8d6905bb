import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  DangerousChangeType,
  buildASTSchema,
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  parse,
  print,
  visit,
} from 'graphql';
import { GraphQLTypesLoader } from '@nestjs/graphql';
import { TYPE_PATHS } from '../../src/graphql/graphql.module.js';
import { ERROR_TABLE } from '../../src/kernel/errors.js';

/** What of the contract is not served yet, by its coordinate; whoever serves an entry takes it out. */
const NOT_SERVED_YET: readonly string[] = [];

const CONTRACT_FOLDER = join(__dirname, '../../contract');
const contractText = readFileSync(join(CONTRACT_FOLDER, 'schema.graphql'), 'utf8');
const contract = buildSchema(contractText);

/** Descriptions by coordinate: `Room`, `Room.id`, `Recording.history(first)`, `RecordingStatus.ACTIVE`. */
function descriptionsOf(schema: GraphQLSchema): Map<string, string> {
  const found = new Map<string, string>();
  const add = (coordinate: string, { description }: { description?: string | null }): void =>
    void found.set(coordinate, description ?? '');
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
    add(type.name, type);
    for (const [coordinate, member] of membersOf(type)) add(`${type.name}.${coordinate}`, member);
  }
  return found;
}

function* membersOf(type: GraphQLNamedType): Generator<[string, { description?: string | null }]> {
  if (isEnumType(type)) for (const value of type.getValues()) yield [value.name, value];
  if (isInputObjectType(type)) yield* Object.entries(type.getFields());
  if (!isObjectType(type) && !isInterfaceType(type)) return;
  for (const [name, field] of Object.entries(type.getFields())) {
    yield [name, field];
    for (const argument of field.args) yield [`${name}(${argument.name})`, argument];
  }
}

/** The contract without what is not served yet. */
function servedPartOf(text: string): DocumentNode {
  const isLeftOut = (coordinate: string): boolean => NOT_SERVED_YET.includes(coordinate);
  const path: string[] = [];
  return visit(parse(text), {
    enter(node) {
      if (!('name' in node) || !node.name || !node.kind.endsWith('Definition')) return undefined;
      if (isLeftOut(coordinateOf([...path, node.name.value]))) return null;
      path.push(node.name.value);
      return undefined;
    },
    leave(node) {
      if ('name' in node && node.name && node.kind.endsWith('Definition')) path.pop();
    },
  });
}

/** As descriptionsOf writes it. */
function coordinateOf([type = '', field, argument]: readonly string[]): string {
  return [type, field && `.${field}`, argument && `(${argument})`].filter(Boolean).join('');
}

describe('the served schema', () => {
  let served: GraphQLSchema;

  beforeAll(async () => {
    const merged: unknown = await new GraphQLTypesLoader().mergeTypesByPaths([...TYPE_PATHS]);
    served = buildSchema(String(merged));
  });

  it('breaks nothing of the contract', () => {
    const expected = buildASTSchema(servedPartOf(contractText));
    expect(findBreakingChanges(expected, served)).toEqual([]);
  });

  it('keeps every default of the contract', () => {
    const expected = buildASTSchema(servedPartOf(contractText));
    const changed = findDangerousChanges(expected, served).filter(
      (change) => change.type === DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE,
    );
    expect(changed).toEqual([]);
  });

  it('keeps every default of the contract in inputs', () => {
    const defaultsOf = (schema: GraphQLSchema): Record<string, string> =>
      Object.fromEntries(
        Object.values(schema.getTypeMap())
          .filter(isInputObjectType)
          .flatMap((type) => Object.values(type.getFields()).map((field) => [type.name, field] as const))
          .map(([type, field]) => [`${type}.${field.name}`, defaultOf(field.astNode)]),
      );
    const defaultOf = (node: { defaultValue?: Parameters<typeof print>[0] } | null | undefined): string =>
      node?.defaultValue ? print(node.defaultValue) : 'none';
    expect(defaultsOf(served)).toMatchObject(defaultsOf(buildASTSchema(servedPartOf(contractText))));
  });

  it('says of everything what the contract says of it', () => {
    const told = descriptionsOf(served);
    const expected = descriptionsOf(buildASTSchema(servedPartOf(contractText)));
    const other = [...expected].filter(([coordinate, text]) => told.get(coordinate) !== text);
    expect(other.map(([coordinate]) => coordinate)).toEqual([]);
  });

  it('serves nothing that is listed as not served yet, and the list is of the contract', () => {
    const [promised, told] = [descriptionsOf(contract), descriptionsOf(served)];
    expect(NOT_SERVED_YET.filter((coordinate) => !promised.has(coordinate))).toEqual([]);
    expect(NOT_SERVED_YET.filter((coordinate) => told.has(coordinate))).toEqual([]);
  });
});

describe('the error table', () => {
  it('has the codes of the contract, all of them and no other', () => {
    const text = readFileSync(join(CONTRACT_FOLDER, 'http.md'), 'utf8');
    const list = /## Error codes[^\n]*\n([^\n]*)/.exec(text)?.[1] ?? '';
    const codes = [...list.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
    expect(codes).toContain('INTERNAL');
    expect(Object.keys(ERROR_TABLE).sort()).toEqual([...codes].sort());
  });
});
