// Preloaded into a process under test: says over IPC for how long its event loop was blocked, in ms.
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');

const EVERY_MS = 10;
const delays = monitorEventLoopDelay({ resolution: EVERY_MS });
delays.enable();

// A machine that gives this process no time blocks it too; only what it did itself counts.
let busyMs = 0;
let [at, used] = [performance.now(), process.cpuUsage()];
setInterval(() => {
  const now = performance.now();
  const { user, system } = process.cpuUsage(used);
  busyMs = Math.max(busyMs, Math.min(now - at, (user + system) / 1_000) - EVERY_MS);
  [at, used] = [now, process.cpuUsage()];
}, EVERY_MS).unref();

process.on('message', () => {
  const delayMs = delays.max / 1_000_000 - EVERY_MS;
  const blockedMs = Math.max(0, Math.min(busyMs, delayMs));
  process.send({ blockedMs, rssBytes: process.memoryUsage.rss() }, () => undefined);
  delays.reset();
  busyMs = 0;
});
// Whoever reads has gone without ending this process.
process.once('disconnect', () => process.exit());
process.channel?.unref();
