import { VirtualClock } from '../../test/support/virtual-clock.js';
import { AgreedClock, awaitWithin, SystemClock } from './clock.js';

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

describe('the agreed clock', () => {
  const HOUR_MS = 3_600_000;

  it('shows the time of the server, whatever the local clock says, and keeps it', () => {
    const clock = new AgreedClock();
    const local = new SystemClock().now();
    clock.learn(local + HOUR_MS, local - 10, local + 10);
    expect(clock.offsetMs).toBe(HOUR_MS);
    expect(clock.now() - new SystemClock().now()).toBeGreaterThanOrEqual(HOUR_MS - 100);
  });

  it('is not moved by an answer that took long', () => {
    const clock = new AgreedClock();
    clock.learn(1_000, 1_000, 9_000);
    expect(clock.offsetMs).toBe(0);
    clock.learn(61_000, 1_000, 1_000);
    clock.learn(62_000, 1_000, 9_000);
    expect(clock.offsetMs).toBe(60_000);
  });
});

describe('waiting for work no longer than it may take', () => {
  const never = new Promise<never>(() => undefined);

  it('gives what the work comes to, or fails as it does', async () => {
    const clock = new VirtualClock();
    expect(await awaitWithin(clock, 1_000, Promise.resolve('done'), () => 'late')).toBe('done');
    const failing = Promise.reject(new Error('broken'));
    await expect(awaitWithin(clock, 1_000, failing, () => 'late')).rejects.toThrow('broken');
  });

  it('says that it is late, by an answer or a failure, and keeps a later failure of the work to itself', async () => {
    const clock = new VirtualClock();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<string>((_resolve, reject) => (fail = reject));
    const answer = awaitWithin(clock, 1_000, work, () => 'late');
    await clock.advance(1_000);
    expect(await answer).toBe('late');
    fail(new Error('nobody waits for it'));
    const refused = awaitWithin(clock, 1_000, never, () => {
      throw new Error('too late');
    });
    const said = refused.catch((error: Error) => error.message);
    await clock.advance(1_000);
    expect(await said).toBe('too late');
  });
});
