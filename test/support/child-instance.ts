import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './redis-server.js';

/** An instance in a process of its own, which can be killed like one. */
export interface ChildInstance {
  readonly url: string;
  /** Ends it at once, without a chance to do anything (kill -9). */
  kill(): Promise<void>;
  /** Asks it to end. */
  signal(signal: 'SIGTERM' | 'SIGINT'): void;
  /** Resolves with its exit code (null: ended by a signal) as soon as it has ended. */
  readonly ended: Promise<number | null>;
}

const ROOT = join(__dirname, '../..');

/** Answers when it is ready. Ends with this process at the latest. */
export async function startChild(env: Readonly<Record<string, string>>): Promise<ChildInstance> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['-r', join(__dirname, 'run-typescript.cjs'), join(ROOT, 'src/main.ts')],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'warn', ...env, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => said.push(String(text)));
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  const kill = async (): Promise<void> => {
    process.off('exit', onExit);
    await killNow(child);
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${said.join('')}`);
        return (await fetch(`${url}/health/ready`)).status === 200 || `it is not ready: ${said.join('')}`;
      },
      { withinMs: 40_000, everyMs: 100 },
    );
  } catch (error) {
    await kill();
    throw error;
  }
  return { url, kill, ended, signal: (signal) => void child.kill(signal) };
}

async function killNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
