import fc from 'fast-check';
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
} from 'graphql';
import type { Facts } from './world.js';
import { anyText, valueFor } from './values.js';

export interface GraphqlRequest {
  readonly query: string;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

export type OperationKind = 'query' | 'mutation' | 'subscription';

/** One root field, by `kind.name`, with how it is asked for. */
export interface Operation {
  readonly name: string;
  readonly kind: OperationKind;
  readonly request: GraphqlRequest;
}

interface Argument {
  readonly name: string;
  readonly type: GraphQLInputType;
  readonly value: unknown;
  readonly inline: boolean;
}

const MOST_DEPTH = 3;
const MOST_FIELDS = 4;

/** Every operation of the schema with every argument. */
export function anyOperation(
  schema: GraphQLSchema,
  facts: Facts,
  kinds: readonly OperationKind[],
): fc.Arbitrary<Operation> {
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  const fields = kinds.flatMap((kind) =>
    Object.values(roots[kind]?.getFields() ?? {}).map((field) => anyCall(kind, field, facts)),
  );
  return fc.oneof(...fields);
}

function anyCall(
  kind: OperationKind,
  field: GraphQLField<unknown, unknown>,
  facts: Facts,
): fc.Arbitrary<Operation> {
  return fc.tuple(anyArguments(field, facts), selectionOf(field.type, facts, 0)).map(([given, selection]) => {
    const byVariable = given.filter(({ inline }) => !inline);
    const declared = byVariable.map(({ name, type }) => `$${name}: ${String(type)}`);
    const head = declared.length > 0 ? `${kind} Q(${declared.join(', ')})` : kind;
    return {
      name: `${kind}.${field.name}`,
      kind,
      request: {
        query: `${head} { ${field.name}${call(given)} ${selection} }`,
        variables: Object.fromEntries(byVariable.map(({ name, value }) => [name, value])),
      },
    };
  });
}

function anyArguments(field: GraphQLField<unknown, unknown>, facts: Facts): fc.Arbitrary<Argument[]> {
  const each = field.args.map(({ name, type }) =>
    fc.record({
      name: fc.constant(name),
      type: fc.constant(type),
      value: valueFor(type, facts),
      inline: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  );
  return fc
    .tuple(fc.tuple(...each), fc.array(fc.nat(9), { minLength: each.length, maxLength: each.length }))
    .map(([all, dice]) => all.filter((_, i) => (dice[i] ?? 0) > 1));
}

function call(given: readonly Argument[]): string {
  if (given.length === 0) return '';
  const all = given.map(
    ({ name, type, value, inline }) => `${name}: ${inline ? literal(value, type) : `$${name}`}`,
  );
  return `(${all.join(', ')})`;
}

/** Some of its fields, some levels deep; `__typename` where it has none. */
function selectionOf(type: GraphQLOutputType, facts: Facts, depth: number): fc.Arbitrary<string> {
  const named = getNamedType(type);
  if (!isCompositeType(named)) return fc.constant('');
  if (depth >= MOST_DEPTH || !(isObjectType(named) || isInterfaceType(named)))
    return fc.constant('{ __typename }');
  const fields = Object.values(named.getFields());
  const oneOf = (field: GraphQLField<unknown, unknown>): fc.Arbitrary<string> =>
    fc
      .tuple(anyArguments(field, facts), selectionOf(field.type, facts, depth + 1))
      // Variables are declared at the root alone.
      .map(
        ([given, inner]) => `${field.name}${call(given.map((one) => ({ ...one, inline: true })))} ${inner}`,
      );
  // Made only for those that are drawn: each has as many below it again.
  return fc
    .subarray(fields, { maxLength: Math.min(MOST_FIELDS, fields.length) })
    .chain((some) =>
      some.length === 0
        ? fc.constant('{ __typename }')
        : fc.tuple(...some.map(oneOf)).map((texts) => `{ ${texts.join(' ')} }`),
    );
}

function literal(value: unknown, type: GraphQLInputType | null): string {
  const bare = type && getNullableType(type);
  if (Array.isArray(value)) {
    const inner = isListType(bare) ? bare.ofType : null;
    return `[${value.map((one) => literal(one, inner as GraphQLInputType | null)).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = isInputObjectType(bare) ? bare.getFields() : {};
    const entries = Object.entries(value).map(
      ([key, one]) =>
        `${/^[_A-Za-z]\w*$/.test(key) ? key : 'odd'}: ${literal(one, fields[key]?.type ?? null)}`,
    );
    return `{${entries.join(', ')}}`;
  }
  if (typeof value === 'string' && isEnumType(bare) && /^[_A-Za-z]\w*$/.test(value)) return value;
  return JSON.stringify(value) ?? 'null';
}

/** Documents that are no operation of ours, or too much of one. */
export function anyDocument(facts: Facts): fc.Arbitrary<GraphqlRequest> {
  const times = fc.constantFrom(1, 20, 101, 1_000, 3_000, 20_000);
  const shaped = fc
    .tuple(times, anyText(facts))
    .chain(([n, text]) =>
      fc.constantFrom(
        `{ ${'room(id: "a") { recordings { nodes { room { '.repeat(n)}`,
        `{ ${Array.from({ length: n }, (_, i) => `a${i}: viewer { name }`).join(' ')} }`,
        `{ ${'viewer { name } '.repeat(n)} }`,
        `query { ${'{'.repeat(n)}`,
        `{ room(id: ${'['.repeat(n)}1${']'.repeat(n)}) { id } }`,
        `fragment A on Query { ...B } fragment B on Query { ...A } { ...A }`,
        `${Array.from({ length: n }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F${n} on Query { viewer { name } } { ...F0 }`,
        `query ${'a'.repeat(n)} { ${'b'.repeat(n)} }`,
        `{ viewer ${'@skip(if: false) '.repeat(n)} { name } }`,
        `{ viewer ${'@a'.repeat(n)} { name } }`,
        `query(${Array.from({ length: n }, (_, i) => `$v${i}: Int`).join(' ')}) { viewer { name } }`,
        `{ __schema { types { fields { type { ${'ofType { '.repeat(n)} name ${'}'.repeat(n)} } } } } }`,
        `{ __schema { types { name description fields { name args { name type { name } } type { name ofType { name } } } } } }`,
        `{ __type(name: ${JSON.stringify(text)}) { name fields { name } } }`,
        `{ room(id: """${text}""") { id } }`,
        `# ${text}\n{ viewer { name } }`,
        `mutation { a: deleteRecording(id: "x") { id } ${'b: deleteRecording(id: "x") { id } '.repeat(n)} }`,
        `${'query A { viewer { name } } '.repeat(n)}`,
        text,
      ),
    );
  const request = fc.record(
    { query: shaped, variables: fc.jsonValue({ maxDepth: 3 }), operationName: fc.option(anyText(facts)) },
    { requiredKeys: ['query'] },
  );
  return request as fc.Arbitrary<GraphqlRequest>;
}
