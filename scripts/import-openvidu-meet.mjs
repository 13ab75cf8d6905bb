// npm run import:openvidu-meet -- <bucket>: brings recordings of OpenVidu Meet into the deployment that the environment names.
import { run } from './say.mjs';
import { setUp } from './setup.mjs';

await run(async () => {
  await setUp({ needsRedis: () => false });
  await import('../dist/imports/import-command.js');
});
