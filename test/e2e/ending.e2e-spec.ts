import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/redis-server.js';

const ROOT = join(__dirname, '../..');

describe('a process that is to end', () => {
  let child: ChildProcess | null = null;
  afterEach(() => void child?.kill('SIGKILL'));

  it('ends by itself, unforced, also where no Redis answers', async () => {
    const port = await freePort();
    const env = {
      PATH: process.env.PATH ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      TALLYLIGHT_ADMIN_KEY: 'tl_an-admin-key-for-tests',
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      STORAGE_URL: 'file:.tallylight/never-used',
      LIVEKIT_URL: `http://127.0.0.1:${await freePort()}`,
      LIVEKIT_API_KEY: 'devkey',
      LIVEKIT_API_SECRET: 'a-secret-that-is-long-enough-for-signing',
    };
    const runner = join(ROOT, 'test/support/run-typescript.cjs');
    const started = spawn(process.execPath, ['-r', runner, join(ROOT, 'src/main.ts')], {
      cwd: ROOT,
      env,
      stdio: 'ignore',
    });
    child = started;
    await eventually(
      async () =>
        (await fetch(`http://127.0.0.1:${port}/health/live`).then(
          ({ status }) => status === 200,
          () => false,
        )) || 'it does not listen',
      { withinMs: 30_000 },
    );
    const exited = once(started, 'exit');
    started.kill('SIGTERM');
    // 1 would be the end that is forced upon a process that hangs.
    expect(await exited).toEqual([0, null]);
  });
});
