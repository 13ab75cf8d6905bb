import { newRecordingId } from '../../src/kernel/ids.js';
import type { Recording } from '../../src/recordings/domain/recording.js';
import type { MediaApp } from '../support/media-app.js';
import {
  bucketWorld,
  digest,
  folderWorld,
  keyOf,
  LARGE_BYTES,
  MediaScene,
  pathOf,
  sha,
} from '../support/media-scene.js';

describe.each([
  ['a folder', folderWorld],
  ['a bucket', bucketWorld],
])('the media in %s', (_name, makeWorld) => {
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

  describe('is given', () => {
    it('byte for byte, with all that a player wants to know', async () => {
      const answer = await app.get(pathOf(video));
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'accept-ranges': 'bytes',
        'content-type': 'video/mp4',
        'content-length': String(scene.mp4.length),
        'cache-control': expect.stringContaining('private'),
        'x-content-type-options': 'nosniff',
        etag: expect.stringMatching(/^"[^"]+"$/),
        'last-modified': expect.stringMatching(/ GMT$/),
      });
      expect(answer.headers.has('content-disposition')).toBe(false);
      expect(await digest(answer)).toBe(sha(scene.mp4));
    });

    it('as audio where there is no video, also when the limit was reached', async () => {
      const answer = await app.get(pathOf(audio));
      expect(answer.headers.get('content-type')).toBe('audio/ogg');
      expect(await digest(answer)).toBe(sha(scene.ogg));
    });

    it.each<[string, number, number]>([
      ['bytes=0-0', 0, 0],
      ['bytes=0-1023', 0, 1023],
      ['bytes=1000-', 1000, Infinity],
      ['bytes=-500', -500, Infinity],
      ['bytes=-999999999', 0, Infinity],
      ['bytes=600000-999999999', 600_000, Infinity],
    ])('as the range %s', async (range, from, to) => {
      const first = from < 0 ? scene.mp4.length + from : from;
      const last = Math.min(to, scene.mp4.length - 1);
      const answer = await app.get(pathOf(video), { range });
      expect(answer.status).toBe(206);
      expect(answer.headers.get('content-range')).toBe(`bytes ${first}-${last}/${scene.mp4.length}`);
      expect(answer.headers.get('content-length')).toBe(String(last - first + 1));
      expect(Buffer.from(await answer.arrayBuffer()).equals(scene.mp4.subarray(first, last + 1))).toBe(true);
    });

    it('whole again when its ranges are put together', async () => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < scene.mp4.length; at += 100_000) {
        const answer = await app.get(pathOf(video), { range: `bytes=${at}-${at + 99_999}` });
        pieces.push(Buffer.from(await answer.arrayBuffer()));
      }
      expect(Buffer.concat(pieces).equals(scene.mp4)).toBe(true);
    });

    it.each(['bytes=0-1,5-6', 'items=0-5', 'bytes=9-2', 'bytes=x'])('whole for %s', async (range) => {
      const answer = await app.get(pathOf(video), { range });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([200, null]);
      expect(await digest(answer)).toBe(sha(scene.mp4));
    });

    it('not at all for a range behind its end', async () => {
      const answer = await app.get(pathOf(video), { range: `bytes=${scene.mp4.length}-` });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([
        416,
        `bytes */${scene.mp4.length}`,
      ]);
      expect(await answer.json()).toMatchObject({ error: { code: 'RANGE_NOT_SATISFIABLE' } });
    });

    it('not again to who has it already', async () => {
      const headers = (await app.get(pathOf(video), {}, { method: 'HEAD' })).headers;
      const etag = headers.get('etag') ?? '';
      const date = headers.get('last-modified') ?? '';
      const conditions: Record<string, string>[] = [{ 'if-none-match': etag }, { 'if-modified-since': date }];
      for (const condition of conditions) {
        const answer = await app.get(pathOf(video), condition);
        expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, etag, '']);
      }
      const stale = await app.get(pathOf(video), { 'if-match': '"other"' });
      expect([stale.status, await stale.text()]).toEqual([412, '']);
    });

    it('in part only while it is what the client has a part of', async () => {
      const { headers } = await app.get(pathOf(video), {}, { method: 'HEAD' });
      const range = 'bytes=10-19';
      const ask = async (ifRange: string): Promise<[number, number]> => {
        const answer = await app.get(pathOf(video), { range, 'if-range': ifRange });
        return [answer.status, (await answer.arrayBuffer()).byteLength];
      };
      expect(await ask(headers.get('etag') ?? '')).toEqual([206, 10]);
      expect(await ask(headers.get('last-modified') ?? '')).toEqual([206, 10]);
      expect(await ask('"other"')).toEqual([200, scene.mp4.length]);
      expect(await ask('Sun, 06 Nov 1994 08:49:37 GMT')).toEqual([200, scene.mp4.length]);
    });

    it('to HEAD without its bytes, which are not read', async () => {
      const whole = await app.get(pathOf(large));
      const head = await app.get(pathOf(large), {}, { method: 'HEAD' });
      await whole.body?.cancel();
      const plain = (answer: Response) =>
        [...answer.headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name));
      expect([head.status, plain(head)]).toEqual([200, plain(whole)]);
      const ranged = await app.get(pathOf(large), { range: 'bytes=0-9' }, { method: 'HEAD' });
      expect([ranged.status, ranged.headers.get('content-length')]).toEqual([200, String(LARGE_BYTES)]);
    });

    it('as a file with a name for a person', async () => {
      const answer = await app.get(`${pathOf(video)}?download=1`);
      await answer.arrayBuffer();
      expect(answer.headers.get('content-disposition')).toBe(
        `attachment; filename="Gr__e 2026-03-04 05-06-07.mp4"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%202026-03-04%2005-06-07.mp4`,
      );
    });

    it('when it is empty, as nothing', async () => {
      const empty = scene.add();
      await app.storage.put(keyOf(empty), Buffer.alloc(0), 'video/mp4');
      const answer = await app.get(pathOf(empty));
      expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([
        200,
        '0',
        '',
      ]);
      const ranged = await app.get(pathOf(empty), { range: 'bytes=0-' });
      expect([ranged.status, ranged.headers.get('content-range')]).toEqual([416, 'bytes */0']);
      await ranged.arrayBuffer();
    });
  });

  describe('is refused', () => {
    const refusal = async (answer: Response): Promise<[number, string]> => {
      const body = (await answer.json()) as { error: { code: string; message: string } };
      expect(body.error.message).not.toBe('');
      return [answer.status, body.error.code];
    };

    it.each(['STARTING', 'ACTIVE', 'ENDING'] as const)('while the recording is %s', async (status) => {
      const running = scene.add({ status });
      expect(await refusal(await app.get(pathOf(running)))).toEqual([409, 'RECORDING_NOT_STOPPED']);
    });

    it('when the recording left none, or it is no longer there', async () => {
      const without = scene.add({ status: 'FAILED', hasMedia: false });
      const lost = scene.add();
      expect(await refusal(await app.get(pathOf(without)))).toEqual([410, 'MEDIA_GONE']);
      expect(await refusal(await app.get(pathOf(lost)))).toEqual([410, 'MEDIA_GONE']);
    });

    it('for an id that is unknown, impossible or another’s', async () => {
      for (const id of [newRecordingId(5), 'x', '..%2f..%2fetc', '%00']) {
        expect(await refusal(await app.get(`/recordings/${id}/media`))).toEqual([404, 'RECORDING_NOT_FOUND']);
      }
      const elsewhere = await app.get(pathOf(video), { authorization: 'Bearer elsewhere' });
      expect(await refusal(elsewhere)).toEqual([404, 'RECORDING_NOT_FOUND']);
    });

    it('without a credential', async () => {
      const answer = await app.get(pathOf(video), { authorization: '' });
      expect(await refusal(answer)).toEqual([401, 'UNAUTHENTICATED']);
    });
  });

  describe('is opened by a media token', () => {
    const tokenFor = (recording: Recording): string =>
      new URL(app.links.url(recording.id, 60)).searchParams.get('token') ?? '';

    it('for its recording, without a header', async () => {
      const answer = await fetch(`${app.url}${pathOf(video)}?token=${tokenFor(video)}`);
      expect(answer.status).toBe(200);
      expect(await digest(answer)).toBe(sha(scene.mp4));
    });

    it('and by no other text, whatever else is sent', async () => {
      for (const token of [tokenFor(audio), 'x', '', `${tokenFor(video)}&token=${tokenFor(video)}`]) {
        const answer = await app.get(`${pathOf(video)}?token=${token}`);
        expect([token, answer.status]).toEqual([token, 401]);
        await answer.arrayBuffer();
      }
    });

    it('but not an archive', async () => {
      const answer = await fetch(`${app.url}/recordings/archive?ids=${video.id}&token=${tokenFor(video)}`);
      expect(answer.status).toBe(401);
      await answer.arrayBuffer();
    });
  });
});
