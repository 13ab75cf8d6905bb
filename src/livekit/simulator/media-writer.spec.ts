import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeMediaForReal } from './media-writer.js';
import { UploadRefused } from './recorded-media.js';

describe('the media of a recording', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallylight-simulator-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is written whole into a folder that need not be there, and nothing else', async () => {
    const filepath = join(folder, 'recordings', 'talk', 'rec.mp4');
    await writeMediaForReal({ kind: 'file', filepath }, [Buffer.from('a medi'), Buffer.from('a file')]);
    expect(await readFile(filepath, 'utf8')).toBe('a media file');
    expect(await readdir(join(folder, 'recordings', 'talk'))).toEqual(['rec.mp4']);
  });

  it('is refused where a folder can not be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const write = writeMediaForReal({ kind: 'file', filepath: join(folder, 'file', 'x.ogg') }, [
      Buffer.from('x'),
    ]);
    await expect(write).rejects.toBeInstanceOf(UploadRefused);
  });

  describe('in a bucket', () => {
    let server: Server;
    let requests: { path: string; type: string | undefined; body: Buffer }[];
    let answer: { status: number; body: string };
    beforeEach(async () => {
      requests = [];
      answer = { status: 200, body: '' };
      server = createServer(async (request: IncomingMessage, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
        const { url = '', headers } = request;
        requests.push({ path: url, type: headers['content-type'], body: Buffer.concat(chunks) });
        response
          .writeHead(answer.status, { 'content-type': 'application/xml', etag: '"part"' })
          .end(answer.body);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    const output = () => ({
      kind: 's3' as const,
      filepath: 'recordings/talk/rec.ogg',
      bucket: 'bucket',
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      accessKeyId: 'key',
      secretAccessKey: 'secret',
      forcePathStyle: true,
      deployment: 'dep-1',
    });

    it('is put under the key of the request, byte for byte', async () => {
      const bytes = Buffer.from('a media file');
      await writeMediaForReal(output(), [bytes.subarray(0, 4), bytes.subarray(4)]);
      expect(requests).toMatchObject([
        { path: '/bucket/recordings/talk/rec.ogg?x-id=PutObject', type: 'audio/ogg' },
      ]);
      expect(requests[0]?.body.equals(bytes)).toBe(true);
    });

    it('is put in parts where it is large, so that it need not be in memory as a whole', async () => {
      answer = { status: 200, body: '<Result><UploadId>upload</UploadId></Result>' };
      const chunk = Buffer.alloc(5 * 1024 * 1024, 7);
      const part = 8 * 1024 * 1024;
      await writeMediaForReal(output(), [chunk, chunk, chunk]);
      expect(requests.map(({ path }) => path.replace(/^[^?]*[?]/, ''))).toEqual([
        'uploads=',
        expect.stringContaining('partNumber=1'),
        expect.stringContaining('partNumber=2'),
        'uploadId=upload',
      ]);
      expect(requests.slice(1, 3).map(({ body }) => body.length)).toEqual([part, 3 * chunk.length - part]);
    });

    it('is refused in the words of LiveKit when the bucket refuses', async () => {
      answer = {
        status: 403,
        body: '<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>',
      };
      await expect(writeMediaForReal(output(), [Buffer.from('x')])).rejects.toThrow(
        'S3 upload failed: err: operation error S3: PutObject, https response error StatusCode: 403, RequestID: , ' +
          'HostID: , api error SignatureDoesNotMatch: SignatureDoesNotMatch, status code: 403',
      );
    });
  });
});
