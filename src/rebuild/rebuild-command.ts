import { NestFactory } from '@nestjs/core';
import { readConfig } from '../config/config.schema.js';
import type { Config } from '../config/config.js';
import { loadEnvFile } from '../config/env-file.js';
import { Instance } from '../config/instance.js';
import { SystemClock } from '../kernel/clock.js';
import { createLogger } from '../ops/logger.js';
import { tellFault } from '../serve.js';
import { progressBar } from './progress-line.js';
import { RebuildCommandModule } from './rebuild-command.module.js';
import { RebuildLedger } from './rebuild-ledger.port.js';
import { RebuildTurn } from './rebuild-turn.js';
import { rebuildWords } from './rebuild-words.js';

const USAGE = `npm run rebuild [-- --force]
  Fills a Redis that was lost from the storage, or shows how far it is where an instance already does it.
  --force  also a Redis that is whole: what it holds is forgotten, and the storage alone counts.
`;
const LOOK_EVERY_MS = 500;
const LINE_EVERY_MS = 5_000;

/** Says what happens: a bar that is drawn over on a terminal, lines elsewhere. */
class ProgressPrinter {
  private toldAt = 0;

  constructor(private readonly clock: SystemClock) {}

  tell(ledgerState: Parameters<typeof progressBar>[0]): void {
    const { stdout } = process;
    if (stdout.isTTY) stdout.write(`\r\u001b[K${progressBar(ledgerState, stdout.columns - 1)}`);
    else if (this.clock.now() - this.toldAt >= LINE_EVERY_MS) {
      this.toldAt = this.clock.now();
      stdout.write(`${rebuildWords(ledgerState) ?? 'Redis is whole'}\n`);
    }
  }

  say(line: string): void {
    process.stdout.write(process.stdout.isTTY ? `\r\u001b[K${line}\n` : `${line}\n`);
  }
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((arg) => arg !== '--force');
  if (unknown.length > 0) {
    process.stderr.write(USAGE);
    process.exitCode = unknown.includes('--help') ? 0 : 2;
    return;
  }
  loadEnvFile('.env', process.env);
  const config = readConfig(process.env, { development: false, onTerminal: process.stdout.isTTY });
  await rebuild(config, args.includes('--force'));
}

async function rebuild(config: Config, force: boolean): Promise<void> {
  const clock = new SystemClock();
  const teller = new ProgressPrinter(clock);
  // Warnings go to standard error, so that what is told can be read by a program.
  const logger = createLogger(config, Instance.ofThisProcess(), process.stderr);
  const app = await NestFactory.createApplicationContext(RebuildCommandModule.with(config), {
    logger,
    abortOnError: false,
  });
  const closing = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => closing.abort());
  const ledger = app.get(RebuildLedger);
  const over = new AbortController();
  const watching = watch(ledger, teller, clock, over.signal);
  try {
    if (force) await untilAnswered(() => ledger.discard(), teller, clock, closing.signal);
    const done = await resume(app.get(RebuildTurn), teller, clock, closing.signal);
    over.abort();
    await watching;
    teller.say(done);
  } finally {
    over.abort();
    await watching;
    await app.close();
  }
}

/** Until Redis is whole, whoever makes it so. */
async function resume(
  turn: RebuildTurn,
  teller: ProgressPrinter,
  clock: SystemClock,
  closing: AbortSignal,
): Promise<string> {
  let waited = false;
  for (;;) {
    const outcome = await untilAnswered(() => turn.take(closing), teller, clock, closing);
    if (outcome.kind === 'rebuilt') {
      const { rooms, recordings, faults, tookMs } = outcome.report;
      const left = faults > 0 ? `, ${faults} objects could not be understood (see the log)` : '';
      return `${rooms} rooms and ${recordings} recordings are back after ${(tookMs / 1_000).toFixed(1)} s${left}.`;
    }
    if (outcome.kind === 'whole')
      return waited
        ? 'Redis is whole again; another instance has rebuilt it.'
        : 'Redis is whole: there is nothing to do. --force rebuilds it all the same.';
    waited = true;
    await clock.sleep(LOOK_EVERY_MS, closing);
  }
}

/** Whoever does not answer is asked again, and it is said why. */
async function untilAnswered<T>(
  ask: () => Promise<T>,
  teller: ProgressPrinter,
  clock: SystemClock,
  closing: AbortSignal,
): Promise<T> {
  let told = '';
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      closing.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      if (why !== told) teller.say(`Waiting: ${why}`);
      told = why;
      await clock.sleep(LOOK_EVERY_MS, closing);
    }
  }
}

async function watch(
  ledger: RebuildLedger,
  teller: ProgressPrinter,
  clock: SystemClock,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await clock.sleep(LOOK_EVERY_MS, over).catch(() => undefined);
    if (over.aborted) return;
    await ledger.state().then(
      (state) => (state.whole ? undefined : teller.tell(state)),
      // Whoever waits for Redis says so.
      () => undefined,
    );
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const interrupted = error instanceof Error && error.name === 'AbortError';
  if (interrupted)
    process.stdout.write('\nEnded before Redis was whole; whoever looks next goes on from here.\n');
  else tellFault(error);
  process.exit(1);
});
