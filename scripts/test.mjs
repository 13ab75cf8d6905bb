// npm test: sets up what is missing, then runs all tests but those that take long (--long: those alone) or need a real LiveKit. Arguments go to jest.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { run } from './say.mjs';
import { setUp } from './setup.mjs';

await run(async () => {
  const redisServer = await setUp({ needsRedis: () => true });
  const isLong = process.argv.includes('--long');
  const projects = isLong ? ['long'] : ['unit', 'integration', 'contract', 'e2e', 'chaos'];
  // More than processors: most wait for Redis, a timer or LiveKit most of the time.
  const workers = `--maxWorkers=${Math.min(8, Math.max(3, 2 * availableParallelism()))}`;
  const given = process.argv.slice(2).filter((arg) => arg !== '--long');
  // The list of projects takes every word that follows, so it comes last.
  const args = [
    'node_modules/jest/bin/jest.js',
    ...(given.some((arg) => /^(-i|--runInBand|-w|--maxWorkers)\b/.test(arg)) ? [] : [workers]),
    ...given,
    '--selectProjects',
    ...projects,
  ];
  const jest = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, REDIS_SERVER: redisServer },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
  jest.on('exit', (code) => process.exit(code ?? 1));
});
