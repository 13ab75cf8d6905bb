import type { OutboxEntry } from '../store/recording.store.js';

/** Brings outbox entries to the queue. What it can't bring stays in the outbox, for whoever reads it next. */
export abstract class EffectDispatcher {
  abstract dispatch(entries: readonly OutboxEntry[]): Promise<void>;
}
