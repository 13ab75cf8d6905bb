import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Clock } from '../kernel/clock.js';
import { isErrno } from '../kernel/start-fault.js';
import type { KeptSimulator, SimulatorEngine } from '../livekit/simulator/engine.js';
import type { KeptFolder } from './kept-folder.js';

const FILE = 'livekit.json';
const KEEP_EVERY_MS = 1_000;

/** What the simulator of an earlier run left in the folder; null where there is nothing that can be gone on with. */
export async function readKeptSimulator({ path }: KeptFolder): Promise<KeptSimulator | null> {
  try {
    const { rooms, egresses, recorders } = JSON.parse(await readFile(join(path, FILE), 'utf8'));
    return [rooms, egresses, recorders].every(Array.isArray) ? { rooms, egresses, recorders } : null;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    if (!(error instanceof SyntaxError)) throw error;
    new Logger('Embedded').warn({
      message: `${FILE} can not be read: the simulator starts afresh`,
      err: error,
    });
    return null;
  }
}

/** Writes what changed every second, so that a run that is killed loses no more than that. Answers how to end it. */
export function keepSimulator(
  engine: SimulatorEngine,
  { path }: KeptFolder,
  clock: Clock,
): () => Promise<void> {
  const ended = new AbortController();
  let written = '';
  const write = async (): Promise<void> => {
    const text = JSON.stringify(engine.keep());
    if (text === written) return;
    const aside = join(path, `${FILE}.part`);
    await writeFile(aside, text, { mode: 0o600 });
    await rename(aside, join(path, FILE));
    written = text;
  };
  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await write();
      await clock.sleep(KEEP_EVERY_MS, ended.signal).catch(() => undefined);
    }
  };
  const over = loop().catch((error: unknown) => {
    new Logger('Embedded').warn({
      message: 'the simulator could not be kept for the next start',
      err: error,
    });
  });
  return async () => {
    ended.abort();
    await over;
    await write();
  };
}
