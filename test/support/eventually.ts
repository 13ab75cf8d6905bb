import { SystemClock } from '../../src/kernel/clock.js';

/** The world is waited for, never the clock: an end that a busy machine does not reach. It costs what passes nothing. */
const GENEROUS_MS = 40_000;

/**
 * Waits until `probe` returns true; a text is the reason why it isn't so yet and becomes the failure's message,
 * as does the message of what it throws.
 */
export async function eventually(
  probe: () => boolean | string | Promise<boolean | string>,
  { withinMs = GENEROUS_MS, everyMs = 40 }: { withinMs?: number; everyMs?: number } = {},
): Promise<void> {
  const clock = new SystemClock();
  const until = clock.now() + withinMs;
  for (;;) {
    const answer = await Promise.resolve()
      .then(probe)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (answer === true) return;
    if (clock.now() >= until) throw new Error(answer === false ? 'the condition did not come true' : answer);
    await clock.sleep(everyMs);
  }
}
