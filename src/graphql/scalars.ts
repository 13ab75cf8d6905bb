import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, print } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { parseInstant } from './rfc3339.js';

// A value that can't be read is the client's fault, a GraphQLError; one that can't be shown is ours, any other error.
const refuse = (what: string, node?: ValueNode): GraphQLError => new GraphQLError(what, { nodes: node });

/** Instants are ms since the Unix epoch inside. */
export const dateTime = new GraphQLScalarType<number, string>({
  name: 'DateTime',
  serialize(value) {
    if (typeof value !== 'number') throw new TypeError(`no instant in ms: ${typeof value}`);
    return new Date(value).toISOString();
  },
  parseValue: (value) => toInstant(value),
  parseLiteral: (node) => toInstant(node.kind === Kind.STRING ? node.value : undefined, node),
});

function toInstant(value: unknown, node?: ValueNode): number {
  const instant = typeof value === 'string' && value.length <= BOUNDS.instant ? parseInstant(value) : null;
  if (instant === null) {
    throw refuse('a DateTime is an RFC 3339 instant with an offset, like 2026-11-22T10:15:30.123Z', node);
  }
  return instant;
}

export const safeInt = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  serialize(value) {
    if (!isSafeInt(value)) throw new TypeError(`no integer from 0 to 2^53-1: ${String(value)}`);
    return value;
  },
  parseValue: (value) => toSafeInt(value),
  parseLiteral: (node) => toSafeInt(node.kind === Kind.INT ? Number(node.value) : undefined, node),
});

function toSafeInt(value: unknown, node?: ValueNode): number {
  if (!isSafeInt(value)) throw refuse('a SafeInt is a whole number from 0 to 9007199254740991', node);
  return value + 0;
}

function isSafeInt(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export const jsonObject = new GraphQLScalarType<JsonObject, JsonObject>({
  name: 'JSONObject',
  serialize(value) {
    if (!isObject(value)) throw new TypeError('no JSON object');
    return value;
  },
  parseValue: (value) => toJsonObject(value),
  parseLiteral: (node, variables) => toJsonObject(fromLiteral(node, variables), node),
});

function toJsonObject(value: unknown, node?: ValueNode): JsonObject {
  if (!isObject(value)) throw refuse('a JSONObject is an object, like {"team": "red"}', node);
  if (!fits(value)) throw refuse(`a JSONObject has at most ${BOUNDS.jsonBytes} bytes as JSON`, node);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(value: JsonObject): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(value, refuseOdd)) <= BOUNDS.jsonBytes;
  } catch (error) {
    // Nested deeper than the stack goes, and so far beyond what fits.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** JSON has a way to write them that not every reader understands, or none. */
function refuseOdd(key: string, value: unknown): unknown {
  const texts = typeof value === 'string' ? [key, value] : [key];
  if (texts.some((text) => NUL_OR_HALF.test(text))) {
    throw refuse('a JSONObject has no text with a NUL, or half of a surrogate pair, in it');
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw refuse('a JSONObject has no number that JSON can not hold');
  }
  return value;
}
const NUL_OR_HALF = /\0|\p{Cs}/u;

function fromLiteral(node: ValueNode, variables?: JsonObject | null): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((value) => fromLiteral(value, variables));
    case Kind.OBJECT:
      // Not by assignment: a key may be called __proto__.
      return Object.fromEntries(node.fields.map((f) => [f.name.value, fromLiteral(f.value, variables)]));
    case Kind.VARIABLE:
      return variables?.[node.name.value] ?? null;
    case Kind.ENUM:
      throw refuse(`${print(node)} is no JSON value; write texts in quotes`, node);
  }
}

/** As the schema names them. Only what they do: whole scalars would take their descriptions out of the schema. */
export const scalarResolvers = {
  DateTime: doingsOf(dateTime),
  SafeInt: doingsOf(safeInt),
  JSONObject: doingsOf(jsonObject),
};

function doingsOf({ serialize, parseValue, parseLiteral }: GraphQLScalarType): Record<string, unknown> {
  return { __serialize: serialize, __parseValue: parseValue, __parseLiteral: parseLiteral };
}
