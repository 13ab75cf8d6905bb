import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Clock } from '../kernel/clock.js';
import { StartFault } from '../kernel/start-fault.js';
import { freePort } from './free-port.js';
import { CONF_FILE, endLeftover, LOG_FILE, PID_FILE } from './leftover-redis.js';

const LOOK_EVERY_MS = 20;
const END_LIMIT_MS = 10_000;
const LAUNCH_AGAIN_AFTER_MS = 500;

/**
 * Becomes the server; beside it somebody waits for the end of descriptor 3, which the launcher holds. However the
 * launcher ends, its descriptors are closed, and the server gets the signal upon which it writes all it has and ends.
 */
const DIES_WITH_ITS_PARENT = `(cat <&3 >/dev/null; kill -TERM $$) & exec "$0" ${CONF_FILE} 3<&-`;

export interface PrivateRedisOptions {
  /** The path of a redis-server or valkey-server. */
  readonly program: string;
  /** Of the server alone: its append-only file, its configuration and its log. */
  readonly folder: string;
  readonly password: string;
  readonly clock: Clock;
}

/** A Redis server of our own on the loopback interface, kept running until it is ended. */
export class PrivateRedis {
  private readonly log = new Logger('EmbeddedRedis');
  private child: ChildProcess | null = null;
  private ending = false;

  private constructor(
    private readonly options: PrivateRedisOptions,
    private readonly port: number,
  ) {}

  /** Answers once it takes commands with all it had loaded. Throws StartFault where it does not come up. */
  static async start(options: PrivateRedisOptions): Promise<PrivateRedis> {
    await endLeftover(options);
    const redis = new PrivateRedis(options, await freePort());
    await writeFile(join(options.folder, CONF_FILE), redis.configuration(), { mode: 0o600 });
    await redis.launch();
    return redis;
  }

  get url(): string {
    return `redis://:${this.options.password}@127.0.0.1:${this.port}`;
  }

  async end(): Promise<void> {
    this.ending = true;
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const limit = new AbortController();
    const forced = this.options.clock.sleep(END_LIMIT_MS, limit.signal).then(
      () => child.kill('SIGKILL'),
      () => false,
    );
    await exited;
    limit.abort();
    await forced;
  }

  private configuration(): string {
    return [
      ...[`port ${this.port}`, 'bind 127.0.0.1', `requirepass ${this.options.password}`],
      ...['appendonly yes', 'appendfsync everysec', 'save ""', 'maxmemory-policy noeviction'],
      ...['daemonize no', `pidfile ${PID_FILE}`, `logfile ${LOG_FILE}`, ''],
    ].join('\n');
  }

  private async launch(): Promise<void> {
    // A session of its own: a Ctrl-C goes to whoever shares the terminal's, and Redis has to outlive its users.
    const child = spawn('/bin/sh', ['-c', DIES_WITH_ITS_PARENT, this.options.program], {
      cwd: this.options.folder,
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    child.once('exit', () => child.stdio[3]?.destroy());
    await this.answering(child);
    child.once('exit', (code, signal) => void this.launchAgain(code ?? signal));
  }

  private async answering(child: ChildProcess): Promise<void> {
    const redis = new Redis(this.url, {
      lazyConnect: true,
      maxRetriesPerRequest: null,
      retryStrategy: () => LOOK_EVERY_MS,
    });
    // It refuses connections until it is there; that it will never be is told by its process.
    let latest: Error | null = null;
    redis.on('error', (error) => (latest = error));
    const gone = Promise.race([once(child, 'exit'), once(child, 'error')]);
    try {
      await Promise.race([redis.ping(), gone.then(() => Promise.reject(new Error('it ended')))]);
    } catch (error) {
      const log = join(this.options.folder, LOG_FILE);
      throw new StartFault(
        `The private Redis server did not start: ${log} says why; mend that, or set REDIS_URL to another Redis.`,
        { cause: latest ?? error },
      );
    } finally {
      redis.disconnect();
    }
  }

  private async launchAgain(how: number | string | null): Promise<void> {
    if (this.ending) return;
    this.log.error({ message: 'the private Redis server ended; it is started again', how });
    try {
      await this.options.clock.sleep(LAUNCH_AGAIN_AFTER_MS);
      if (!this.ending) await this.launch();
    } catch (error) {
      this.log.error({ message: 'the private Redis server did not come up', err: error });
      await this.launchAgain('not started');
    }
  }
}
