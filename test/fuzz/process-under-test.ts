import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/redis-server.js';

const ROOT = join(__dirname, '../..');
const KEPT_LINES = 200;
/** A process that runs nothing for so long is ended, which is a finding. */
const LONGEST_BLOCK_MS = 30_000;

export interface LoopReading {
  /** The longest time since the last reading in which the event loop ran nothing else, in ms. */
  readonly blockedMs: number;
  readonly rssBytes: number;
}

/** An instance in a process of its own, whose event loop and log are watched. */
export class ProcessUnderTest {
  /** Its log above `warn`: faults of ours, none of which a client may cause. */
  readonly faults: string[] = [];
  private readonly lines: string[] = [];
  private readonly ended: Promise<null>;
  private why = '';

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {
    this.ended = new Promise((resolve) => {
      child.once('exit', () => resolve(null));
    });
    child.on('error', (error) => this.keep(`the process can not be reached: ${error.message}`));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }
  }

  static async start(env: Readonly<Record<string, string>>): Promise<ProcessUnderTest> {
    const port = await freePort();
    const preloads = ['../support/run-typescript.cjs', 'watch-loop.cjs'].flatMap((file) => [
      '-r',
      join(__dirname, file),
    ]);
    const child = spawn(process.execPath, [...preloads, join(ROOT, 'src/main.ts')], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH ?? '',
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'json',
        ...env,
        PORT: String(port),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const onExit = (): void => void child.kill('SIGKILL');
    process.once('exit', onExit);
    child.once('exit', () => process.off('exit', onExit));
    const started = new ProcessUnderTest(child, `http://127.0.0.1:${port}`);
    await eventually(async () => started.isReady(), { withinMs: 60_000, everyMs: 100 });
    return started;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** How it ended. */
  get end(): string {
    return `${this.why}code ${this.child.exitCode}, signal ${this.child.signalCode}`;
  }

  /** The last of what it logged. */
  get log(): string {
    return this.lines.join('\n');
  }

  /** Since the last reading; null: it has ended. */
  async readLoop(): Promise<LoopReading | null> {
    if (this.hasEnded) return null;
    const answer = new Promise<LoopReading>((resolve) => {
      this.child.once('message', (reading) => resolve(reading as LoopReading));
    });
    this.child.send('read', () => undefined);
    const late = setTimeout(() => {
      this.why = `killed as it answered nothing for ${LONGEST_BLOCK_MS} ms, `;
      this.child.kill('SIGKILL');
    }, LONGEST_BLOCK_MS);
    const reading = await Promise.race([answer, this.ended]);
    clearTimeout(late);
    return reading;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  private async isReady(): Promise<boolean | string> {
    if (this.hasEnded) return `it ended: ${this.log}`;
    return (await fetch(`${this.url}/health/ready`)).status === 200 || `it is not ready: ${this.log}`;
  }

  private keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    if (isFault(line)) this.faults.push(line);
  }
}

function isFault(line: string): boolean {
  if (!line.startsWith('{')) return true;
  const { level } = JSON.parse(line) as { level?: unknown };
  return level === 'error' || level === 'fatal';
}
