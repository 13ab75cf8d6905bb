import { badInput } from './errors.js';

/** Null stands for what was left out, as in all arguments of GraphQL. */
export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}

export interface ConnectionView<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly nodes: readonly T[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** Throws BAD_USER_INPUT for less than 1 and more than `most`. */
export function toFirst(first: number | null | undefined, fallback: number, most = 100): number {
  const wanted = first ?? fallback;
  if (wanted < 1 || wanted > most) throw badInput('first', `must be from 1 to ${most}`);
  return wanted;
}

export function toConnection<T>(
  edges: readonly { readonly cursor: string; readonly node: T }[],
  { hasNextPage, hasPreviousPage }: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean },
): ConnectionView<T> {
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
