import { BOUNDS } from './bounds.js';

/** What a caller sent as an id, short enough for a sentence and with its ends seen; what no id can be is not repeated. */
export function shown(id: string): string {
  if (id.length > BOUNDS.id) return 'with so long an id';
  return JSON.stringify(id.length > 140 ? `${id.slice(0, 140)}…` : id);
}
