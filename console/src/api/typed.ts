import type { initGraphQLTada, TadaDocumentNode } from 'gql.tada';
import type { introspection as contract } from './schema.js';

/** Instants are RFC 3339 texts in UTC, sizes bytes, lengths ms. */
interface Scalars {
  DateTime: string;
  SafeInt: number;
  JSONObject: Readonly<Record<string, unknown>>;
}
type Graphql = ReturnType<
  typeof initGraphQLTada<{ introspection: contract; scalars: Scalars; disableMasking: true }>
>;

/** An operation, with the types of what it answers and takes derived from the contract. */
export type Operation<Result, Variables> = TadaDocumentNode<Result, Variables>;

interface Text {
  readonly text: string;
  readonly fragments: readonly Text[];
}

/** Types alone come from gql.tada: what is sent is the text itself, so that no parser is loaded. */
export const graphql = ((text: string, fragments: readonly Text[] = []): Text => ({
  text,
  fragments,
})) as unknown as Graphql;

/** What is sent to the server: the operation and every fragment in it, once. */
export function textOf(operation: Operation<unknown, never>): string {
  const texts = new Set<string>();
  const add = ({ text, fragments }: Text): void => {
    texts.add(text);
    fragments.forEach(add);
  };
  add(operation as unknown as Text);
  return [...texts].join('\n');
}

/** An operation on the schema itself, which the contract's types say nothing of. */
export function introspection<Result>(text: string): Operation<Result, Record<string, never>> {
  return { text, fragments: [] } as unknown as Operation<Result, Record<string, never>>;
}
