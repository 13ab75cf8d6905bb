import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { readConsoleFiles } from './console-files.js';
import { sendConsoleFile } from './send-console-file.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** As it comes over the wire: fetch would unzip it. */
async function ask(port: number, path: string, headers: Record<string, string>): Promise<Answer> {
  const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }).end();
  const [answer] = await once(asked, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return { status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(chunks) };
}

describe('the files of the console', () => {
  let folder: string;
  let server: FastifyInstance;
  const get = (name: string, headers: Record<string, string> = {}) =>
    ask((server.server.address() as AddressInfo).port, `/${encodeURIComponent(name)}`, headers);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallylight-console-'));
    await writeFile(join(folder, 'secret.txt'), 'not of the console');
    const built = join(folder, 'console');
    await mkdir(join(built, 'assets'), { recursive: true });
    await writeFile(join(built, 'index.html'), '<p>the console</p>');
    await writeFile(join(built, 'graphiql.html'), '<p>the explorer</p>');
    await writeFile(join(built, 'assets', 'index-abc.js'), 'let console;');
    const files = await readConsoleFiles(built);
    server = fastify();
    server.get<{ Params: { name: string } }>('/:name', ({ params }, reply) =>
      sendConsoleFile(reply, files.get(params.name) ?? null),
    );
    await server.listen({ port: 0, host: '127.0.0.1' });
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  test('the page is asked for anew each time, and is not sent again while it is the same', async () => {
    const page = await get('index.html');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.headers['cache-control']).toBe('no-cache');
    expect(page.bytes.toString()).toBe('<p>the console</p>');
    const again = await get('index.html', { 'if-none-match': page.headers.etag ?? '' });
    expect([again.status, again.bytes.length]).toEqual([304, 0]);
  });

  test('an asset, whose name changes with its content, is kept for ever', async () => {
    const asset = await get('assets/index-abc.js');
    expect(asset.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  test('who takes gzip gets gzip, with the same content', async () => {
    const zipped = await get('assets/index-abc.js', { 'accept-encoding': 'br, gzip' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.bytes).toString()).toBe('let console;');
    expect((await get('assets/index-abc.js')).headers['content-encoding']).toBeUndefined();
  });

  test('no page may load, run, frame or be framed by anything from elsewhere, or run inline scripts', async () => {
    for (const name of ['index.html', 'graphiql.html']) {
      const { headers } = await get(name);
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy).toEqual(
        expect.arrayContaining(["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
      );
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    expect((await get('index.html')).headers['content-security-policy']).not.toContain('unsafe');
  });

  test('media may come from the bucket where it is redirected there', async () => {
    const mediaFrom = ['https://s3.test', 'https://recs.s3.test'];
    const files = await readConsoleFiles(join(folder, 'console'), { mediaFrom });
    const policy = files.get('index.html')?.contentSecurityPolicy ?? '';
    expect(policy.split('; ')).toContain("media-src 'self' blob: https://s3.test https://recs.s3.test");
    expect(files.get('graphiql.html')?.contentSecurityPolicy).not.toContain('s3.test');
  });

  test.each(['../secret.txt', 'assets/../../secret.txt', 'assets', '', '/etc/passwd', 'index.html/'])(
    'nothing but what was built can be had: %j',
    async (name) => {
      const { status, bytes } = await get(name);
      expect(status).toBe(404);
      expect(bytes.toString()).not.toContain('not of the console');
    },
  );

  test('where nothing was built, there is nothing, and what to do is said', async () => {
    expect((await readConsoleFiles(join(folder, 'nowhere'))).size).toBe(0);
    expect(JSON.parse((await get('missing.js')).bytes.toString())).toEqual({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('npm run build') },
    });
  });
});
