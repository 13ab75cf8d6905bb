import {
  type ASTNode,
  BREAK,
  type DocumentNode,
  type GraphQLError,
  Kind,
  type Source,
  parse,
  visit,
} from 'graphql';
import { BOUNDS } from '../kernel/bounds.js';

const VARIABLE = /^Variable "\$(\w+)"/;
const AT = / at "\w+(?!\w)([^"]*)"/;
/** The field that is missing or unknown is not on the path to the object that should, or should not, have it. */
const MISSING_OR_UNKNOWN = /Field "(?:\w+\.)?(\w+)" (?:of required type|is not defined by type)/;
const MISSING_ARGUMENT = /argument "(\w+)" of type "[^"]+" is required/;

/** The path, in the client's own input, of what a request error is about; null where it is about no input. */
export function inputFieldOf(error: GraphQLError): string | null {
  // Without nodes it is the text itself that could not be read.
  const document = error.nodes && documentOf(error.source);
  const variable = VARIABLE.exec(error.message)?.[1];
  const path =
    variable === undefined ? literalPath(error, document) : variablePath(variable, error, document);
  const missing = MISSING_OR_UNKNOWN.exec(error.message)?.[1] ?? MISSING_ARGUMENT.exec(error.message)?.[1];
  if (missing === undefined || path === missing || path.endsWith(`.${missing}`)) return path || null;
  return path === '' ? missing : `${path}.${missing}`;
}

/** A document may have many faults, and is read once for all of them. */
function documentOf(source: Source | undefined): DocumentNode | undefined {
  if (!source) return undefined;
  const known = read.get(source);
  if (known) return known;
  const document = parse(source.body, { maxTokens: BOUNDS.tokens });
  read.set(source, document);
  return document;
}
const read = new WeakMap<Source, DocumentNode>();

/** A variable is named as the argument that it was given for: clients name variables as they like. */
function variablePath(name: string, error: GraphQLError, document: DocumentNode | undefined): string {
  const used = document && pathTo(document, (n) => n.kind === Kind.VARIABLE && n.name.value === name);
  return `${used || name}${AT.exec(error.message)?.[1] ?? ''}`;
}

function literalPath(error: GraphQLError, document: DocumentNode | undefined): string {
  const node = error.nodes?.[0];
  if (!document || !node?.loc) return '';
  const { start } = node.loc;
  return pathTo(document, (n) => n.kind === node.kind && n.loc?.start === start);
}

/** The names of the argument and the object fields that lead to the node; empty for a node that is no input. */
function pathTo(document: DocumentNode, isIt: (node: ASTNode) => boolean): string {
  const path: string[] = [];
  let found = '';
  const isStep = (node: ASTNode) => node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD;
  visit(document, {
    enter(node) {
      // Its declaration is not where a variable is used.
      if (node.kind === Kind.VARIABLE_DEFINITION) return false;
      if (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD) path.push(node.name.value);
      if (!isIt(node)) return undefined;
      found = path.join('.');
      return BREAK;
    },
    leave(node) {
      if (isStep(node)) path.pop();
    },
  });
  return found;
}
