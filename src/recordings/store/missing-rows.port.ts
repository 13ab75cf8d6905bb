import type { RecordingId } from '../../kernel/ids.js';

/** Told of recordings that indexes still name and whose rows are gone: Redis has lost them, nobody has deleted them. */
export abstract class MissingRows {
  /** Never throws and never waits; the same ids may come again with every list that is read. */
  abstract report(ids: readonly RecordingId[]): void;
  /** Whether its record is still to be looked for. */
  abstract isAwaited(id: RecordingId): boolean;
}
