import type { RebuildState } from './rebuild-ledger.port.js';

/** How far it is, for an operator; null: Redis is whole. Anyone may read it. */
export function rebuildWords(state: RebuildState): string | null {
  if (state.whole) return null;
  const { run } = state;
  if (run === null) return 'Redis was lost and waits for a worker to rebuild it from the storage';
  return `${howFar(run)}: ${run.problem === null ? 'rebuilding it from the storage' : `waiting, ${run.problem}`}`;
}

function howFar({
  recordings,
  rooms,
  total,
}: NonNullable<Exclude<RebuildState, { whole: true }>['run']>): string {
  const of = total === null ? '' : ` of ${count(total)}`;
  return `${count(rooms)} rooms and ${count(recordings)}${of} recordings of what Redis held are back`;
}

const count = (number: number): string => number.toLocaleString('en-US');
