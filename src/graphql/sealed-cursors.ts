import {
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  GraphQLString,
  defaultFieldResolver,
  getNamedType,
  isObjectType,
} from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { SAME_FOR_ALL } from './shared-answers.js';
import { invalidCursor } from '../kernel/cursor.js';
import type { Sealing } from '../kernel/sealing.js';

type Field = GraphQLField<unknown, unknown>;
type Resolve = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>, unknown>;

/** Of one position there is one cursor, so that a client can tell by it whether it has come to the end. */
const OF_SHOWN = new Set(['cursor', 'startCursor', 'endCursor']);
/** Never the same twice: that it stayed as it was would tell that nothing happened, in no room. */
const OF_LOG = 'eventCursor';

/**
 * Cursors leave sealed and come back opened, in every list there is: what is inside (instants, numbers of events of any room)
 * is nobody's but ours. Throws CURSOR_INVALID, as a field's error, for what was not sealed here.
 */
export function sealCursors(schema: GraphQLSchema, sealing: Sealing): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (OF_SHOWN.has(field.name)) {
        if (!field.resolve) field.extensions = { ...field.extensions, [SAME_FOR_ALL]: true };
        sealAnswer(field, (text) => sealing.sealAlike(text));
      }
      if (field.name === OF_LOG) sealAnswer(field, (text) => sealing.seal(text));
      const after = field.args.find(({ name }) => name === 'after');
      if (after && getNamedType(after.type) === GraphQLString) openArgument(field, sealing);
    }
  }
}

function sealAnswer(field: Field, seal: (text: string) => string): void {
  const resolve = (field.resolve ?? defaultFieldResolver) as Resolve;
  field.resolve = async (...given: Parameters<Resolve>) => {
    const cursor: unknown = await resolve(...given);
    return typeof cursor === 'string' ? seal(cursor) : cursor;
  };
}

function openArgument(field: Field, sealing: Sealing): void {
  const opened = (resolve: Resolve): Resolve => {
    return (source, args, context, info) =>
      resolve(source, { ...args, ...openedAfter(args, sealing) }, context, info);
  };
  // A subscription has its arguments where it begins.
  if (field.subscribe) field.subscribe = opened(field.subscribe as Resolve);
  else field.resolve = opened((field.resolve ?? defaultFieldResolver) as Resolve);
}

function openedAfter({ after }: Record<string, unknown>, sealing: Sealing): { after?: string } {
  if (typeof after !== 'string') return {};
  const text = after.length <= BOUNDS.cursor ? sealing.open(after) : null;
  if (text === null) throw invalidCursor();
  return { after: text };
}
