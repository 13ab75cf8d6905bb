import { SystemClock } from './clock.js';

describe('the clock of the system', () => {
  const clock = new SystemClock();
  const DAYS_MS = 86_400_000;

  it.each([30, 400])('a sleep of %d days is not over at once', async (days) => {
    const woken = new AbortController();
    const sleep = clock.sleep(days * DAYS_MS, woken.signal).then(() => 'over');
    const first = await Promise.race([sleep, clock.sleep(20).then(() => 'asleep')]);
    expect(first).toBe('asleep');
    woken.abort(new Error('woken'));
    await expect(sleep).rejects.toThrow('woken');
  });

  it('a sleep ends, and one whose signal had aborted before does not begin', async () => {
    await expect(clock.sleep(1)).resolves.toBeUndefined();
    await expect(clock.sleep(1, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });
});
