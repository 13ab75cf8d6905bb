import { SystemClock } from '../../src/kernel/clock.js';
import { S3ObjectStorage } from '../../src/storage/s3-object-storage.js';
import type { S3Storage } from '../../src/storage/s3-faults.js';
import { type ProbeReport, StorageProbe } from '../../src/storage/storage-probe.js';
import { startMediaApp } from '../support/media-app.js';
import { aFinishedRecording, keyOf } from '../support/media-scene.js';
import { findVersitygw, startVersitygw, type Versitygw, WITHOUT_VERSITYGW } from '../support/versitygw.js';

const clock = new SystemClock();
const program = findVersitygw();
const ALL = ['s3:ListBucket', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'];

if (program === null) {
  describe.skip(`a real S3 server: ${WITHOUT_VERSITYGW}`, () => {
    it('is used as the imitation is', () => undefined);
  });
} else {
  describe('a real S3 server', () => {
    let server: Versitygw;
    const opened: S3ObjectStorage[] = [];
    const storageAt = (at: S3Storage): S3ObjectStorage => {
      const storage = new S3ObjectStorage(at, clock);
      opened.push(storage);
      return storage;
    };
    const probe = (at: S3Storage): Promise<ProbeReport> => new StorageProbe(storageAt(at), clock).run();
    const failed = ({ steps }: ProbeReport): string[] =>
      steps.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem.detail}`] : []));

    beforeAll(async () => {
      server = await startVersitygw(program);
    });
    afterAll(async () => {
      for (const storage of opened) storage.onApplicationShutdown();
      await server.stop();
    });

    it('can be used, and knows nothing that should be changed', async () => {
      expect(await probe(server.at)).toMatchObject({
        notices: [],
        steps: ['write', 'look', 'read', 'range', 'list', 'delete'].map((name) => ({ name, state: 'ok' })),
      });
    });

    it('needs the four permissions that are documented, and no more', async () => {
      expect(failed(await probe(await server.asUserWith(ALL)))).toEqual([]);
    });

    it.each([
      ['s3:PutObject', /^write: .*bucket meetings, answered 403 AccessDenied.*s3:PutObject/],
      ['s3:GetObject', /^look: .*bucket meetings, answered 403 .*s3:GetObject/],
      ['s3:ListBucket', /^list: .*bucket meetings, answered 403 AccessDenied.*s3:ListBucket/],
      ['s3:DeleteObject', /^delete: .*bucket meetings.*AccessDenied.*s3:DeleteObject/],
    ])('without %s says so, and what to do', async (missing, told) => {
      const at = await server.asUserWith(ALL.filter((action) => action !== missing));
      expect(failed(await probe(at))[0]).toMatch(told);
    });

    it.each<[string, (at: S3Storage) => Partial<S3Storage>, RegExp]>([
      ['another bucket', () => ({ bucket: 'nowhere' }), /bucket nowhere, answered 404 NoSuchBucket/],
      [
        'an unknown key',
        () => ({ credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } }),
        /403 InvalidAccessKeyId.*S3_ACCESS_KEY_ID/,
      ],
      [
        'a wrong secret',
        ({ credentials }) => ({
          credentials: { accessKeyId: credentials?.accessKeyId ?? '', secretAccessKey: 'x' },
        }),
        /403 SignatureDoesNotMatch.*S3_SECRET_ACCESS_KEY/,
      ],
      ['another region', () => ({ region: 'eu-west-3' }), /AuthorizationHeaderMalformed.*S3_REGION/],
    ])('told %s, says what to do', async (_what, changes, told) => {
      expect(failed(await probe({ ...server.at, ...changes(server.at) }))[0]).toMatch(told);
    });

    it('deletes more objects than one request takes', async () => {
      const storage = storageAt(server.at);
      const keys = Array.from({ length: 1_001 }, (_, n) => `many/${n}`);
      await storage.put('many/7', Buffer.from('x'), 'text/plain');
      const results = await storage.deleteMany(keys);
      expect([...results.values()].every(({ deleted }) => deleted)).toBe(true);
      expect(await storage.head('many/7')).toBeNull();
    });

    it('gives media at the address that a player is redirected to', async () => {
      const app = await startMediaApp(server.at, 'redirect');
      try {
        const recording = app.shelf.add(aFinishedRecording({ roomName: 'Grüße "1"' }));
        await app.storage.put(keyOf(recording), Buffer.from('0123456789'), 'application/octet-stream');
        const path = `/recordings/${recording.id}/media`;
        const whole = await app.get(path);
        expect([whole.status, whole.redirected, await whole.text()]).toEqual([200, true, '0123456789']);
        expect(whole.headers.get('content-type')).toBe('video/mp4');
        const part = await app.get(`${path}?download=1`, { range: 'bytes=-3' });
        expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
          206,
          'bytes 7-9/10',
          '789',
        ]);
        expect(part.headers.get('content-disposition')).toMatch(
          /^attachment; filename="Gr__e -1- .*filename\*=UTF-8''Gr%C3%BC%C3%9Fe%20-1-%20/,
        );
        const { url } = whole;
        const forged = await fetch(url.replace(recording.id, recording.id.replace(/.$/, '0')));
        expect(forged.status).toBe(403);
      } finally {
        await app.close();
      }
    });
  });
}
