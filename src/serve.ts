import { Logger } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.js';
import { Config } from './config/config.js';
import { doubtful } from './config/doubtful.js';
import { WebSocketDoor } from './graphql/websocket-door.js';
import { Drain } from './ops/drain.js';
import { VERSION } from './config/version.js';
import { SystemClock } from './kernel/clock.js';
import { isErrno, StartFault } from './kernel/start-fault.js';

/** How long an end may take before it is forced: a job that waits for LiveKit's answer is another's soon after. */
const END_LIMIT_MS = 9_000;
/** npm passes on the interrupt that the terminal has already sent, so that one Ctrl-C arrives twice. */
const SAME_SIGNAL_MS = 1_000;

/** Boots the application and listens. `prepare` may add to it before. Throws StartFault where the port can't be had. */
export async function serve(
  config: Config,
  prepare: (app: NestFastifyApplication) => void = () => undefined,
): Promise<NestFastifyApplication> {
  const app = await createApp(config);
  try {
    prepare(app);
    await app.listen({ host: config.host, port: config.port });
    tellListening(config, await app.getUrl());
    return app;
  } catch (error) {
    await app.close();
    throw portFault(config, error);
  }
}

function tellListening(config: Config, address: string): void {
  const { role, publicUrl } = config;
  const log = new Logger('Process');
  const what = role === 'worker' ? 'a worker with its health' : `the API, web console at ${publicUrl}/`;
  log.log({ event: 'listening', message: `listening: ${what}`, address, version: VERSION, role });
  for (const warning of doubtful(config)) log.warn(warning);
}

export function portFault({ host, port }: Pick<Config, 'host' | 'port'>, error: unknown): unknown {
  if (isErrno(error, 'EADDRINUSE')) {
    const other = port === 4000 ? 4001 : 4000;
    return new StartFault(
      `Port ${port} is in use by another program: end that one, or choose another port with the variable PORT (PORT=${other}).`,
      { cause: error },
    );
  }
  if (isErrno(error, 'EACCES')) {
    return new StartFault(
      `Port ${port} may not be used by this user: choose one above 1023 with the variable PORT.`,
      {
        cause: error,
      },
    );
  }
  if (isErrno(error, 'EADDRNOTAVAIL', 'ENOTFOUND')) {
    return new StartFault(`This machine has no address ${host}: correct the variable HOST.`, {
      cause: error,
    });
  }
  return error;
}

/** Ends the application: what is under way gets its time, and nothing new begins. */
export async function endApp(app: NestFastifyApplication): Promise<void> {
  const doors: { end(): Promise<void> }[] = [app.get(Drain)];
  if (app.get(Config).role !== 'worker') doors.push(app.get(WebSocketDoor, { strict: false }));
  // Side by side, as both have the same time.
  await Promise.all(doors.map((door) => door.end()));
  await app.close();
}

/** Runs `end` once at the first SIGINT or SIGTERM, and leaves; a further signal, or an end that hangs, forces it. */
export function endOnSignal(end: () => Promise<void>): void {
  const clock = new SystemClock();
  const log = new Logger('Process');
  let since: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (since !== null) {
      const isEcho =
        signal === 'SIGINT' && clock.now() - since < SAME_SIGNAL_MS && 'npm_command' in process.env;
      if (!isEcho) process.exit(130);
      return;
    }
    since = clock.now();
    log.log({ event: 'ending', message: 'what is under way gets a few seconds to end', signal });
    void clock.sleep(END_LIMIT_MS).then(() => {
      log.warn({
        event: 'end_forced',
        message: 'something did not end in time; others take over what it held',
      });
      process.exit(1);
    });
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ event: 'end_failed', message: 'the end went wrong', err: error });
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/**
 * A promise that nobody waited for failed: its work is in Redis and is found again, so the process goes on and says so.
 * An exception that nobody caught leaves the state of this process unknown: it ends, others take over what it held
 * within seconds, and it is started anew.
 */
export function tellOfTheUnexpected(): void {
  const log = new Logger('Process');
  tellOfLibraries();
  process.on('unhandledRejection', (reason) => {
    log.error({ message: 'a failure that nobody waited for', err: reason });
  });
  process.on('uncaughtException', (error) => {
    // The other side of a connection went away while nobody listened: nothing of ours is in doubt.
    if (isErrno(error, 'EPIPE', 'ECONNRESET')) {
      log.warn({ message: 'a connection broke off', err: error });
      return;
    }
    log.fatal({ message: 'an exception that nobody caught; this process ends', err: error });
    process.exit(1);
  });
}

/** What libraries would write to the console as raw text: theirs to say, ours to bound and to clean. */
function tellOfLibraries(): void {
  const log = new Logger('Library');
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.debug({ event: 'library_warning', message, name }));
  const tell = (...words: unknown[]): void => {
    log.warn({ event: 'library_said', message: words.map(String).join(' ') });
  };
  console.error = tell;
  console.warn = tell;
}

/** The last word of a start that failed, on standard error. */
export function tellFault(error: unknown): void {
  const known = error instanceof Error && ['StartFault', 'ConfigError'].includes(error.name);
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
}
