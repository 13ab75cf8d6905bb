import { readConfig } from '../config/config.schema.js';
import { loadEnvFile } from '../config/env-file.js';
import { SystemClock } from '../kernel/clock.js';
import { endOnSignal, portFault, serve, tellFault, tellOfTheUnexpected } from '../serve.js';
import { EmbeddedStack, withPlaceholders } from './embedded-stack.js';
import { listenOnce } from './free-port.js';
import { ensureWritable } from './kept-folder.js';
import { greeting } from './greeting.js';

const FOLDER = '.tallylight';

/** Runs Tallylight with everything embedded that no variable names, until a signal ends it. */
export async function start({ redisServer }: { redisServer: string | null }): Promise<void> {
  const stack = new EmbeddedStack();
  const enders = [() => stack.end()];
  const end = async (): Promise<void> => {
    for (const one of enders.splice(0).toReversed()) await one();
  };
  try {
    tellOfTheUnexpected();
    const context = { development: true, onTerminal: process.stdout.isTTY };
    loadEnvFile('.env', process.env);
    // Every fault that can be seen is told before anything is started.
    const wanted = readConfig(withPlaceholders(process.env), context);
    await listenOnce(wanted).catch((error: unknown) => Promise.reject(portFault(wanted, error)));
    if (wanted.storage.kind === 'file') await ensureWritable(wanted.storage.folder);
    endOnSignal(end);
    await stack.start({ env: process.env, redisServer, folder: FOLDER, clock: new SystemClock() });
    const config = readConfig({ ...process.env, ...stack.variables }, context);
    const app = await serve(config);
    enders.push(() => app.close());
    process.stdout.write(greeting(config, stack.parts));
  } catch (error) {
    tellFault(error);
    await end();
    process.exit(1);
  }
}
