import { badInput } from '../../kernel/errors.js';

const MOST_FIRST = 1_000;
const DEFAULT_FIRST = 100;

export interface SliceArguments {
  readonly first?: number | null;
  readonly offset?: number | null;
}

/** Throws BAD_USER_INPUT with the field at fault. */
export function toSlice(args: SliceArguments): { readonly first: number; readonly offset: number } {
  const first = args.first ?? DEFAULT_FIRST;
  const offset = args.offset ?? 0;
  if (first < 1 || first > MOST_FIRST) throw badInput('first', `must be from 1 to ${MOST_FIRST}`);
  if (offset < 0) throw badInput('offset', 'must not be negative');
  return { first, offset };
}
