// npm start: sets up what is missing, then runs Tallylight with everything embedded that no variable names.
import { run } from './say.mjs';
import { setUp, variable } from './setup.mjs';

await run(async () => {
  const redisServer = await setUp({ needsRedis: () => variable('REDIS_URL') === null });
  const { start } = await import('../dist/embedded/start.js');
  await start({ redisServer });
});
