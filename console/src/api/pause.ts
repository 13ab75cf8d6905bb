const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/** Half a second at first, doubling, a little random; cut short when the browser finds its network again. */
export function pause(attempts: number): Promise<void> {
  const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts, 10)) * (0.75 + Math.random() / 2);
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
  });
}
