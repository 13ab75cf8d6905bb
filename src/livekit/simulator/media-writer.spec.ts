import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeMediaForReal } from './media-writer.js';
import { RecordedMedia, UploadRefused } from './recorded-media.js';

describe('the media of a recording', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tallylight-simulator-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is written whole into a folder that need not be there, and nothing else', async () => {
    const filepath = join(folder, 'recordings', 'talk', 'rec.mp4');
    const bytes = new RecordedMedia().of(filepath);
    await writeMediaForReal({ kind: 'file', filepath }, bytes);
    expect(bytes.equals(await readFile(filepath))).toBe(true);
    expect(await readdir(join(folder, 'recordings', 'talk'))).toEqual(['rec.mp4']);
  });

  it('is refused where a folder can not be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const write = writeMediaForReal(
      { kind: 'file', filepath: join(folder, 'file', 'x.ogg') },
      Buffer.from('x'),
    );
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
        response.writeHead(answer.status, { 'content-type': 'application/xml' }).end(answer.body);
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
      const bytes = new RecordedMedia().of('rec.ogg');
      await writeMediaForReal(output(), bytes);
      expect(requests).toMatchObject([
        { path: '/bucket/recordings/talk/rec.ogg?x-id=PutObject', type: 'audio/ogg' },
      ]);
      expect(requests[0]?.body.equals(bytes)).toBe(true);
    });

    it('is refused in the words of LiveKit when the bucket refuses', async () => {
      answer = {
        status: 403,
        body: '<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>',
      };
      await expect(writeMediaForReal(output(), Buffer.from('x'))).rejects.toThrow(
        'S3 upload failed: err: operation error S3: PutObject, https response error StatusCode: 403, RequestID: , ' +
          'HostID: , api error SignatureDoesNotMatch: SignatureDoesNotMatch, status code: 403',
      );
    });
  });
});
