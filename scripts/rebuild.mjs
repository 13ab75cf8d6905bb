// npm run rebuild: fills a Redis that was lost from the storage, with the configuration of the environment.
import { run } from './say.mjs';
import { setUp } from './setup.mjs';

await run(async () => {
  await setUp({ needsRedis: () => false });
  await import('../dist/rebuild/rebuild-command.js');
});
