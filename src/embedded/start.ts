import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { readConfig } from '../config/config.schema.js';
import { loadEnvFile } from '../config/env-file.js';
import { SystemClock } from '../kernel/clock.js';
import { endApp, endOnSignal, portFault, serve, tellFault, tellOfTheUnexpected } from '../serve.js';
import { CreateRoom } from '../rooms/use-cases/create-room.js';
import { openDemoDoor } from './demo-door.js';
import { EmbeddedStack, withPlaceholders } from './embedded-stack.js';
import { listenOnce } from './free-port.js';
import { ensureWritable } from './kept-folder.js';
import { makeFirstRoomsKnown } from './first-rooms.js';
import { greeting } from './greeting.js';
import { refuseSecond } from './only-one.js';

const FOLDER = '.tallylight';

/** Runs Tallylight with everything embedded that no variable names, until a signal ends it. */
export async function start({ redisServer }: { redisServer: string | null }): Promise<void> {
  const clock = new SystemClock();
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
    // Before its port: of that the message would say that another program has it.
    await refuseSecond(FOLDER);
    await listenOnce(wanted).catch((error: unknown) => Promise.reject(portFault(wanted, error)));
    if (wanted.storage.kind === 'file') await ensureWritable(wanted.storage.folder);
    endOnSignal(end);
    await stack.start({
      env: process.env,
      redisServer,
      folder: FOLDER,
      webhookUrl: webhookUrl(wanted),
      clock,
    });
    const config = readConfig({ ...process.env, ...stack.variables }, context);
    const app = await serve(config, (made) => openDemoDoor(made, stack.demo(clock)));
    enders.push(() => endApp(app));
    if (stack.hasFirstRooms) await makeFirstRoomsKnown(app.get(CreateRoom), clock);
    stack.open();
    // For scripts that are to find it on whichever port it listens.
    await writeFile(join(FOLDER, 'url'), `${config.publicUrl}\n`);
    process.stdout.write(greeting(config, stack.parts));
  } catch (error) {
    tellFault(error);
    await end();
    process.exit(1);
  }
}

/** The simulator stands on this machine, so it reaches an address that means all of them by the loopback one. */
function webhookUrl({ host, port }: Config): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/livekit/webhook`;
}
