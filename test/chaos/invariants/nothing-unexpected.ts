import type { Invariant } from './invariant.js';

/** Nothing that the product calls a fault of its own: an error without a code, a job without a handler or given up for good. */
export function nothingUnexpected(): Invariant {
  const see = (problems: readonly string[]): string | null => problems[0] ?? null;
  return {
    name: 'I0',
    second: (world) => see(world.problems) ?? see(world.floor.failures),
    end: (world) => see(world.problems) ?? see(world.floor.failures),
  };
}
