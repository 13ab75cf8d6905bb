import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { ADMIN_KEY, type GraphqlAnswer } from '../../support/app.js';
import { eventually } from '../../support/eventually.js';

const BOOT_LIMIT_MS = 60_000;
const REQUEST_LIMIT_MS = 12_000;

/** A connection that is given up before it was there says so to nobody. */
class PatientSocket extends WebSocket {
  constructor(...given: ConstructorParameters<typeof WebSocket>) {
    super(...given);
    this.on('error', () => undefined);
  }
}

/** One instance of the compiled product, as an operator would run it. */
export class ProductProcess {
  readonly url: string;
  private child: ChildProcess | null = null;
  private isPaused = false;
  /** Ends that nobody asked for. */
  readonly ownEnds: string[] = [];

  constructor(
    readonly name: string,
    port: number,
    private readonly env: Readonly<Record<string, string>>,
    readonly logFile: string,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  get isUp(): boolean {
    return this.child !== null && !this.isPaused;
  }

  /** Answers when it is ready. */
  async start(): Promise<void> {
    this.launch();
    await this.untilReady();
  }

  launch(): void {
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { RATE_LIMIT: 'off', ...this.env, PATH: process.env.PATH ?? '', PORT: new URL(this.url).port },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    child.once('exit', (code, signal) => {
      if (this.child !== child) return;
      this.child = null;
      this.ownEnds.push(`${this.name} ended by itself (${signal ?? code})`);
    });
  }

  untilReady(): Promise<void> {
    return eventually(
      async () => {
        const answer = await fetch(`${this.url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
        return answer.status === 200 || `${this.name} is not ready: ${await answer.text()}`;
      },
      { withinMs: BOOT_LIMIT_MS, everyMs: 100 },
    );
  }

  async kill(): Promise<void> {
    const { child } = this;
    if (child === null) return;
    this.child = null;
    this.isPaused = false;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  pause(): void {
    if (this.child === null) return;
    this.isPaused = true;
    this.child.kill('SIGSTOP');
  }

  resume(): void {
    this.isPaused = false;
    this.child?.kill('SIGCONT');
  }

  /** Throws when it gives no answer. */
  async graphql<T = Record<string, unknown>>(
    query: string,
    variables: object = {},
  ): Promise<GraphqlAnswer<T>> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    const body = (await response.json()) as Partial<GraphqlAnswer<T>>;
    const errors = body.errors ?? [];
    const code = errors.length === 0 ? null : String(errors[0]?.extensions.code);
    return { status: response.status, data: body.data as T, errors, code };
  }

  /** For one connection; whoever asks for it disposes of it. */
  subscriber(): Client {
    return createClient({
      url: `${this.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: PatientSocket,
      connectionParams: { authorization: `Bearer ${ADMIN_KEY}` },
      retryAttempts: 0,
    });
  }

  /** What it logged that nothing may ever be: an exception or a promise that nobody caught. */
  unexpectedLines(): string[] {
    return readFileSync(this.logFile, 'utf8')
      .split('\n')
      .filter((line) => /"level":"fatal"|that nobody (waited|caught)|"code":"INTERNAL"/.test(line));
  }
}
