import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  DangerousChangeType,
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  print,
} from 'graphql';
import { GraphQLTypesLoader } from '@nestjs/graphql';
import { TYPE_PATHS } from '../../src/graphql/graphql.module.js';
import { ERROR_TABLE } from '../../src/kernel/errors.js';

const CONTRACT_FOLDER = join(__dirname, '../../contract');
const contract = buildSchema(readFileSync(join(CONTRACT_FOLDER, 'schema.graphql'), 'utf8'));

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

describe('the served schema', () => {
  let served: GraphQLSchema;

  beforeAll(async () => {
    const merged: unknown = await new GraphQLTypesLoader().mergeTypesByPaths([...TYPE_PATHS]);
    served = buildSchema(String(merged));
  });

  it('breaks nothing of the contract', () => {
    expect(findBreakingChanges(contract, served)).toEqual([]);
  });

  it('keeps every default of the contract', () => {
    const changed = findDangerousChanges(contract, served).filter(
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
    expect(defaultsOf(served)).toMatchObject(defaultsOf(contract));
  });

  it('says of everything what the contract says of it', () => {
    const told = descriptionsOf(served);
    const expected = descriptionsOf(contract);
    const other = [...expected].filter(([coordinate, text]) => told.get(coordinate) !== text);
    expect(other.map(([coordinate]) => coordinate)).toEqual([]);
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
