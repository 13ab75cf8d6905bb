import { newRecordingId } from '../../src/kernel/ids.js';
import type { Recording } from '../../src/recordings/domain/recording.js';
import type { MediaApp } from '../support/media-app.js';
import {
  bucketWorld,
  drain,
  folderWorld,
  keyOf,
  LARGE_BYTES,
  MediaScene,
  openAndPause,
  pathOf,
  sha,
} from '../support/media-scene.js';
import { readZip } from '../support/zip-reader.js';

describe.each([
  ['a folder', folderWorld],
  ['a bucket', bucketWorld],
])('media out of %s,', (_name, makeWorld) => {
  let scene: MediaScene;
  let app: MediaApp;
  let video: Recording;
  let audio: Recording;
  let large: Recording;

  beforeAll(async () => {
    scene = await MediaScene.over(await makeWorld());
    ({ app, video, audio, large } = scene);
  });
  afterAll(() => scene.stop());
  afterEach(() => scene.sourcesOpen(0));

  describe('in an archive', () => {
    const archive = (ids: readonly string[], init: RequestInit = {}): Promise<Response> =>
      app.get(`/recordings/archive?ids=${ids.join(',')}`, {}, init);

    it('is each recording once, as it is', async () => {
      const answer = await archive([video.id, audio.id, video.id]);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/zip');
      expect(answer.headers.get('content-disposition')).toContain('.zip"');
      const zip = Buffer.from(await answer.arrayBuffer());
      expect(answer.headers.get('content-length')).toBe(String(zip.length));
      const modifiedAtMs = video.endedAt;
      expect(readZip(zip).map((e) => ({ ...e, content: sha(e.content) }))).toEqual([
        { name: `${video.roomId}/${video.id}.mp4`, content: sha(scene.mp4), modifiedAtMs },
        { name: `${audio.roomId}/${audio.id}.ogg`, content: sha(scene.ogg), modifiedAtMs },
      ]);
      const head = await archive([video.id, audio.id], { method: 'HEAD' });
      expect(head.headers.get('content-length')).toBe(String(zip.length));
    });

    it('numbers the parts of one meeting, and nothing else', async () => {
      const names = async (...ids: string[]): Promise<string[]> => {
        const zip = Buffer.from(await (await archive(ids)).arrayBuffer());
        return readZip(zip).map(({ name }) => name.slice(name.indexOf('/') + 1));
      };
      const first = scene.add();
      const second = scene.add({ continues: first.id });
      for (const one of [first, second]) await app.storage.put(keyOf(one), Buffer.from(one.id), 'video/mp4');
      expect(await names(first.id, second.id)).toEqual([
        `part-01_${first.id}.mp4`,
        `part-02_${second.id}.mp4`,
      ]);
      expect(await names(second.id, first.id)).toEqual([`${second.id}.mp4`, `${first.id}.mp4`]);
      expect(await names(second.id, video.id)).toEqual([`${second.id}.mp4`, `${video.id}.mp4`]);
    });

    it('is refused as a whole before the first byte, for any id that can not be read', async () => {
      const running = scene.add({ status: 'ACTIVE' });
      const lost = scene.add();
      const tooMany = Array.from({ length: 101 }, (_, n) => newRecordingId(n));
      const cases: [readonly string[], number, string][] = [
        [[video.id, newRecordingId(7)], 404, 'RECORDING_NOT_FOUND'],
        [[video.id, 'no-id'], 404, 'RECORDING_NOT_FOUND'],
        [[video.id, running.id], 409, 'RECORDING_NOT_STOPPED'],
        [[video.id, lost.id], 410, 'MEDIA_GONE'],
        [[], 400, 'BAD_USER_INPUT'],
        [tooMany, 400, 'BAD_USER_INPUT'],
      ];
      for (const [ids, status, code] of cases) {
        const answer = await archive(ids);
        expect([answer.status, await answer.json()]).toEqual([
          status,
          { error: expect.objectContaining({ code }) },
        ]);
      }
      expect((await app.get('/recordings/archive')).status).toBe(400);
    });

    it('holds a hundred recordings', async () => {
      const many = Array.from({ length: 100 }, () => scene.add());
      for (const one of many) await app.storage.put(keyOf(one), Buffer.from(one.id), 'video/mp4');
      const answer = await archive(many.map((one) => one.id));
      const read = readZip(Buffer.from(await answer.arrayBuffer()));
      expect(read.map((e) => e.content.toString())).toEqual(many.map((one) => one.id));
    });
  });

  describe.each([
    ['alone', () => pathOf(large)],
    ['in an archive', () => `/recordings/archive?ids=${large.id},${video.id}`],
  ])('of great length, %s,', (_how, path) => {
    it('passes through in flat memory', async () => {
      const answer = await app.get(path());
      const { received, most } = await drain(answer);
      expect(received).toBe(Number(answer.headers.get('content-length')));
      expect(received).toBeGreaterThanOrEqual(LARGE_BYTES);
      expect(most).toBeLessThan(100_000_000);
    });

    it('frees its source at once when the client goes away', async () => {
      const [request, response] = await openAndPause(app.url + path());
      await scene.sourcesOpen(1);
      response.destroy();
      request.destroy();
      await scene.sourcesOpen(0);
    });

    it('waits for a client that has paused', async () => {
      const before = process.memoryUsage().arrayBuffers;
      const opened = await Promise.all(Array.from({ length: 5 }, () => openAndPause(app.url + path())));
      // While a sixth takes all of it, the five could have been read to their ends into memory.
      expect((await drain(await app.get(path()))).received).toBeGreaterThanOrEqual(LARGE_BYTES);
      await scene.sourcesOpen(5);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
      for (const [request] of opened) request.destroy();
    });
  });
});
