import type { RebuildState } from './rebuild-ledger.port.js';
import { rebuildWords } from './rebuild-words.js';

const WIDTH = 30;

/** `[#########.....................]  30 %  3 rooms and 300 of 1,000 recordings are back …`, no wider than `columns`. */
export function progressBar(state: RebuildState, columns: number): string {
  const words = rebuildWords(state) ?? 'Redis is whole';
  const share = shareOf(state);
  const bar = '#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.');
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${words}`.slice(0, columns);
}

function shareOf(state: RebuildState): number {
  if (state.whole) return 1;
  const { run } = state;
  if (run === null || run.total === null) return 0;
  if (run.phase === 'egresses') return 1;
  return run.total === 0 ? 0 : Math.min(1, (run.recordings + run.faults) / run.total);
}
