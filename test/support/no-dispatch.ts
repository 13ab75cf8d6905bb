import type { OutboxEntry } from '../../src/recordings/store/recording.store.js';
import { EffectDispatcher } from '../../src/recordings/write/effect-dispatcher.port.js';

/** Effects stay filed, so that a test can look at them. */
export class NoDispatch extends EffectDispatcher {
  async dispatch(_entries: readonly OutboxEntry[]): Promise<void> {}
}
