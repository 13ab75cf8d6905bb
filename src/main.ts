import { readConfig } from './config/config.schema.js';
import { loadEnvFile } from './config/env-file.js';
import { endApp, endOnSignal, serve, tellFault, tellOfTheUnexpected } from './serve.js';

/** Boots one role. Everything it depends on has to be named by a variable: nothing is embedded here. */
async function main(): Promise<void> {
  loadEnvFile('.env', process.env);
  const config = readConfig(process.env, { development: false, onTerminal: process.stdout.isTTY });
  tellOfTheUnexpected();
  const app = await serve(config);
  endOnSignal(() => endApp(app));
}

main().catch((error: unknown) => {
  tellFault(error);
  process.exit(1);
});
