import type { FiledEffect } from '../store/recording.store.js';

/** Brings filed effects to the queue. Whatever it can't bring stays filed, and is found by whoever looks next. */
export abstract class EffectDispatcher {
  abstract dispatch(filed: readonly FiledEffect[]): Promise<void>;
}
