import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { keys } from '../../src/redis/keys.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { askToDelete, askToEmpty, finished } from '../support/bulk-deletions.js';
import { eventually } from '../support/eventually.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { findVersitygw, startVersitygw, type Versitygw, WITHOUT_VERSITYGW } from '../support/versitygw.js';
import { readZip } from '../support/zip-reader.js';

const program = findVersitygw();

if (program === null) {
  describe.skip(`a real S3 server: ${WITHOUT_VERSITYGW}`, () => {
    it('keeps recordings from their start to their deletion', () => undefined);
  });
} else {
  describe('a real S3 server', () => {
    let server: Versitygw;
    let stack: TestStack;
    let instance: TestInstance;
    let bucket: S3Client;

    beforeAll(async () => {
      server = await startVersitygw(program);
      const { endpoint, region, credentials, forcePathStyle } = server.at;
      if (endpoint === null || credentials === null) throw new Error('it has neither address nor keys');
      bucket = new S3Client({ endpoint, region, credentials, forcePathStyle });
      stack = await startStack({
        STORAGE_URL: `s3://${server.at.bucket}/recs`,
        S3_ENDPOINT: endpoint,
        S3_REGION: region,
        S3_FORCE_PATH_STYLE: 'true',
        S3_ACCESS_KEY_ID: credentials.accessKeyId,
        S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      });
      instance = await stack.start();
    });
    afterAll(async () => {
      await stack.close();
      bucket.destroy();
      await server.stop();
    });

    const recorded = async (room: string): Promise<string> => {
      const { id } = await started(instance, room);
      await instance.graphql(STOP, { id });
      await becomes(instance, id, { status: 'COMPLETE' });
      return id;
    };
    const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${instance.url}${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}`, ...headers } });
    const objectsOf = async (id: string): Promise<string[]> => {
      const { Contents = [] } = await bucket.send(new ListObjectsV2Command({ Bucket: server.at.bucket }));
      return Contents.map(({ Key = '' }) => Key).filter((key) => key.includes(id));
    };

    it('gives media byte for byte, in parts, only where it has changed, and packed', async () => {
      await openRoom(stack, instance, 'media');
      const id = await recorded('media');
      const path = `/recordings/${id}/media`;
      const whole = await get(path);
      const bytes = Buffer.from(await whole.arrayBuffer());
      expect([whole.status, bytes.length]).toEqual([200, Number(whole.headers.get('content-length'))]);
      const part = await get(path, { range: 'bytes=100-1099' });
      expect([part.status, part.headers.get('content-range')]).toEqual([
        206,
        `bytes 100-1099/${bytes.length}`,
      ]);
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 1_100))).toBe(true);
      expect((await get(path, { range: `bytes=${bytes.length}-` })).status).toBe(416);
      const etag = whole.headers.get('etag') ?? '';
      expect((await get(path, { 'if-none-match': etag })).status).toBe(304);
      const archive = await get(`/recordings/archive?ids=${id}`);
      const [entry] = readZip(Buffer.from(await archive.arrayBuffer()));
      expect(entry?.content.equals(bytes)).toBe(true);
    });

    it('gives everything back to a Redis that has lost it', async () => {
      await openRoom(stack, instance, 'lost');
      const id = await recorded('lost');
      await eventually(async () => (await objectsOf(id)).length === 2);
      const before = await stack.redisClient.get(keys.epoch());
      await stack.redisClient.flushall();
      await eventually(async () => {
        const now = await stack.redisClient.get(keys.epoch());
        return (now !== null && now !== before) || 'Redis is not whole';
      });
      await becomes(instance, id, { status: 'COMPLETE' });
      expect((await get(`/recordings/${id}/media`)).status).toBe(200);
    });

    it('has nothing left of what was deleted, one by one and a room at once', async () => {
      await openRoom(stack, instance, 'deleted');
      const ids = [await recorded('deleted'), await recorded('deleted'), await recorded('deleted')];
      const named = await askToDelete(instance, { ids: ids.slice(0, 2) });
      expect(await finished(instance, named.id)).toMatchObject({ status: 'COMPLETED', deletedCount: 2 });
      const rest = await askToEmpty(instance, { roomId: 'deleted' });
      expect(await finished(instance, rest.id)).toMatchObject({ status: 'COMPLETED', deletedCount: 1 });
      for (const id of ids) expect(await objectsOf(id)).toEqual([]);
    });
  });
}
