// npm run doctor [-- --json]: examines the deployment that the environment names.
import { run } from './say.mjs';
import { setUp } from './setup.mjs';

await run(async () => {
  setUp({ needsRedis: () => false });
  process.argv.splice(2, 0, 'doctor');
  await import('../dist/main.js');
});
