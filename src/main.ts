import { readConfig } from './config/config.schema.js';
import { loadEnvFile } from './config/env-file.js';
import { examineAndTell } from './doctor/doctor-command.js';
import { endApp, endOnSignal, serve, tellFault, tellOfTheUnexpected } from './serve.js';

/** Boots one role, or examines the deployment (`doctor`). Everything it depends on has to be named by a variable: nothing is embedded here. */
async function main(): Promise<void> {
  loadEnvFile('.env', process.env);
  const [command] = process.argv.slice(2);
  if (command === 'doctor') return await examineAndTell(process.argv.slice(3));
  const config = readConfig(process.env, { development: false, onTerminal: process.stdout.isTTY });
  tellOfTheUnexpected();
  const app = await serve(config);
  endOnSignal(() => endApp(app));
}

main().catch((error: unknown) => {
  tellFault(error);
  process.exit(1);
});
