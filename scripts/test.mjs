// npm test: sets up what is missing, then runs all tests but those that need a real LiveKit. Arguments go to jest.
import { spawnSync } from 'node:child_process';
import { run } from './say.mjs';
import { setUp } from './setup.mjs';

await run(async () => {
  const redisServer = setUp({ needsRedis: () => true });
  const projects = ['unit', 'integration', 'contract', 'e2e'];
  const args = ['node_modules/jest/bin/jest.js', '--selectProjects', ...projects, ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, REDIS_SERVER: redisServer },
  });
  process.exitCode = status ?? 1;
});
