import { type DocumentNode, Kind, type OperationDefinitionNode, type TypeNode, visit } from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';
import { TallyError } from '../kernel/errors.js';

export type Variables = Readonly<Record<string, unknown>> | null | undefined;

/** Names of arguments and input fields that hold ids: one that can't exist is not found, whatever is in it. */
const OF_IDS = /^(?:ids?|\w{1,64}Ids?)$/;
const NUL_OR_HALF = /\0|\p{Cs}/u;

/**
 * Throws BAD_USER_INPUT for values that are no good whatever they are for: too many, too deep, a number that JSON can't hold,
 * a text with a NUL or half of a pair in it. What each field takes is checked where it is read.
 */
export function refuseBadVariables(operation: OperationDefinitionNode, variables: Variables): void {
  const given = new ValueWalk();
  for (const { variable, type } of operation.variableDefinitions ?? []) {
    const { value: name } = variable.name;
    given.refuse(variables?.[name], isOfIds(type) ? 'id' : name);
  }
}

/** The same for what stands in the document itself. */
export function refuseBadLiterals(document: DocumentNode): void {
  let depth = 0;
  const enter = (): void => {
    depth += 1;
    if (depth > BOUNDS.valueDepth) throw tooDeep();
  };
  const leave = (): void => {
    depth -= 1;
  };
  visit(document, {
    [Kind.LIST]: { enter, leave },
    [Kind.OBJECT]: { enter, leave },
    [Kind.FLOAT]: ({ value }) => refuseNumber(Number(value)),
    [Kind.INT]: ({ value }) => refuseNumber(Number(value)),
    [Kind.STRING](node, _key, parent) {
      const holder = parent && !Array.isArray(parent) && 'kind' in parent ? parent : null;
      const name =
        holder?.kind === Kind.ARGUMENT || holder?.kind === Kind.OBJECT_FIELD ? holder.name.value : '';
      refuseText(node.value, name);
    },
  });
}

/** Without recursion: what came as JSON may be nested deeper than any stack. */
class ValueWalk {
  private seen = 0;

  refuse(root: unknown, rootName: string): void {
    const open: { value: unknown; name: string; depth: number }[] = [
      { value: root, name: rootName, depth: 0 },
    ];
    for (let next = open.pop(); next; next = open.pop()) {
      const { value, name, depth } = next;
      this.seen += 1;
      if (this.seen > BOUNDS.values) throw bad(`these variables have more than ${BOUNDS.values} values`);
      if (typeof value === 'string') refuseText(value, name);
      else if (typeof value === 'number') refuseNumber(value);
      else if (typeof value === 'object' && value !== null) {
        if (depth >= BOUNDS.valueDepth) throw tooDeep();
        const entries: [string, unknown][] = Array.isArray(value)
          ? this.entriesOf(value, name)
          : Object.entries(value);
        for (const [key, inner] of entries) {
          refuseText(key, '');
          open.push({ value: inner, name: key, depth: depth + 1 });
        }
      }
    }
  }

  private entriesOf(list: readonly unknown[], name: string): [string, unknown][] {
    if (list.length > BOUNDS.listEntries) throw bad(`a list has at most ${BOUNDS.listEntries} entries`);
    return list.map((entry) => [name, entry]);
  }
}

function refuseText(text: string, name: string): void {
  if (OF_IDS.test(name) || !NUL_OR_HALF.test(text)) return;
  throw bad('a text has a NUL, or half of a surrogate pair, in it; leave it out');
}

function refuseNumber(value: number): void {
  if (!Number.isFinite(value)) throw bad('a number is larger than JSON can hold');
}

function isOfIds(type: TypeNode): boolean {
  return type.kind === Kind.NAMED_TYPE ? type.name.value === 'ID' : isOfIds(type.type);
}

function tooDeep(): TallyError {
  return bad(`a value is nested deeper than ${BOUNDS.valueDepth} levels`);
}

function bad(what: string): TallyError {
  return new TallyError('BAD_USER_INPUT', what);
}
