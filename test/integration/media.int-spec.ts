import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StorageConfig } from '../../src/config/config.js';
import { newRecordingId, type RoomId } from '../../src/kernel/ids.js';
import type { Recording } from '../../src/recordings/domain/recording.js';
import { mediaKey } from '../../src/storage/object-keys.js';
import { eventually } from '../support/eventually.js';
import { type MediaApp, startMediaApp } from '../support/media-app.js';
import { S3Server } from '../support/s3-server.js';
import { readZip } from '../support/zip-reader.js';

const MEDIA = resolve(__dirname, '../../src/livekit/simulator/media');
const LARGE_BYTES = 300_000_000;

interface World {
  readonly storage: StorageConfig;
  /** Sources being read at this moment. */
  sourcesOpen(): Promise<number>;
  /** Media of LARGE_BYTES that needs no memory. */
  plantLarge(key: string): Promise<void>;
  stop(): Promise<void>;
}

async function folderWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-media-'));
  return {
    storage: { kind: 'file', folder },
    sourcesOpen: async () => {
      const fds = await readdir('/proc/self/fd');
      const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(String)));
      return targets.filter((target) => target.startsWith(folder)).length;
    },
    plantLarge: async (key) => {
      const file = await open(join(folder, key), 'w');
      await file.truncate(LARGE_BYTES);
      await file.close();
    },
    stop: () => rm(folder, { recursive: true }),
  };
}

async function bucketWorld(): Promise<World> {
  const server = await S3Server.start();
  const zeros = Buffer.alloc(65_536);
  return {
    storage: server.storage('recs'),
    sourcesOpen: async () => server.openBodies,
    plantLarge: async (key) =>
      server.plant(`recs/${key}`, {
        sizeBytes: LARGE_BYTES,
        *read(first, last) {
          for (let at = first; at <= last; at += zeros.length) yield zeros.subarray(0, last + 1 - at);
        },
      }),
    stop: () => server.stop(),
  };
}

describe.each([
  ['a folder', folderWorld],
  ['a bucket', bucketWorld],
])('the media in %s', (_name, makeWorld) => {
  let world: World;
  let app: MediaApp;
  let mp4: Buffer;
  let ogg: Buffer;
  let video: Recording;
  let audio: Recording;
  let large: Recording;
  const pathOf = (recording: Recording): string => `/recordings/${recording.id}/media`;
  const sourcesOpen = (count: number): Promise<void> =>
    eventually(async () => {
      const open = await world.sourcesOpen();
      return open === count || `${open} sources are open, not ${count}`;
    });
  const nothingOpen = (): Promise<void> => sourcesOpen(0);

  beforeAll(async () => {
    world = await makeWorld();
    app = await startMediaApp(world.storage);
    mp4 = await readFile(join(MEDIA, 'egress-composite.mp4'));
    ogg = await readFile(join(MEDIA, 'egress-audio.ogg'));
    video = app.shelf.add(aRecording({ roomName: 'Grüße' }));
    audio = app.shelf.add(aRecording({ audioOnly: true, status: 'LIMIT_REACHED' }));
    large = app.shelf.add(aRecording({ roomId: 'large' as RoomId }));
    await app.storage.put(keyOf(video), mp4, 'video/mp4');
    await app.storage.put(keyOf(audio), ogg, 'audio/ogg');
    await app.storage.put(keyOf(large), Buffer.from('x'), 'video/mp4');
    await world.plantLarge(keyOf(large));
  });
  afterAll(async () => {
    await app.close();
    await world.stop();
  });
  afterEach(nothingOpen);

  describe('is given', () => {
    it('byte for byte, with all that a player wants to know', async () => {
      const answer = await app.get(pathOf(video));
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'accept-ranges': 'bytes',
        'content-type': 'video/mp4',
        'content-length': String(mp4.length),
        'cache-control': expect.stringContaining('private'),
        'x-content-type-options': 'nosniff',
        etag: expect.stringMatching(/^"[^"]+"$/),
        'last-modified': expect.stringMatching(/ GMT$/),
      });
      expect(answer.headers.has('content-disposition')).toBe(false);
      expect(await digest(answer)).toBe(sha(mp4));
    });

    it('as audio where there is no video, also when the limit was reached', async () => {
      const answer = await app.get(pathOf(audio));
      expect(answer.headers.get('content-type')).toBe('audio/ogg');
      expect(await digest(answer)).toBe(sha(ogg));
    });

    it.each<[string, number, number]>([
      ['bytes=0-0', 0, 0],
      ['bytes=0-1023', 0, 1023],
      ['bytes=1000-', 1000, Infinity],
      ['bytes=-500', -500, Infinity],
      ['bytes=-999999999', 0, Infinity],
      ['bytes=600000-999999999', 600_000, Infinity],
    ])('as the range %s', async (range, from, to) => {
      const first = from < 0 ? mp4.length + from : from;
      const last = Math.min(to, mp4.length - 1);
      const answer = await app.get(pathOf(video), { range });
      expect(answer.status).toBe(206);
      expect(answer.headers.get('content-range')).toBe(`bytes ${first}-${last}/${mp4.length}`);
      expect(answer.headers.get('content-length')).toBe(String(last - first + 1));
      expect(Buffer.from(await answer.arrayBuffer()).equals(mp4.subarray(first, last + 1))).toBe(true);
    });

    it('whole again when its ranges are put together', async () => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < mp4.length; at += 100_000) {
        const answer = await app.get(pathOf(video), { range: `bytes=${at}-${at + 99_999}` });
        pieces.push(Buffer.from(await answer.arrayBuffer()));
      }
      expect(Buffer.concat(pieces).equals(mp4)).toBe(true);
    });

    it.each(['bytes=0-1,5-6', 'items=0-5', 'bytes=9-2', 'bytes=x'])('whole for %s', async (range) => {
      const answer = await app.get(pathOf(video), { range });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([200, null]);
      expect(await digest(answer)).toBe(sha(mp4));
    });

    it('not at all for a range behind its end', async () => {
      const answer = await app.get(pathOf(video), { range: `bytes=${mp4.length}-` });
      expect([answer.status, answer.headers.get('content-range')]).toEqual([416, `bytes */${mp4.length}`]);
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
      expect(await ask('"other"')).toEqual([200, mp4.length]);
      expect(await ask('Sun, 06 Nov 1994 08:49:37 GMT')).toEqual([200, mp4.length]);
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
      const empty = app.shelf.add(aRecording({}));
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
      const running = app.shelf.add(aRecording({ status }));
      expect(await refusal(await app.get(pathOf(running)))).toEqual([409, 'RECORDING_NOT_STOPPED']);
    });

    it('when the recording left none, or it is no longer there', async () => {
      const without = app.shelf.add(aRecording({ status: 'FAILED', hasMedia: false }));
      const lost = app.shelf.add(aRecording({}));
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
      expect(await digest(answer)).toBe(sha(mp4));
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
        { name: `${video.roomId}/${video.id}.mp4`, content: sha(mp4), modifiedAtMs },
        { name: `${audio.roomId}/${audio.id}.ogg`, content: sha(ogg), modifiedAtMs },
      ]);
      const head = await archive([video.id, audio.id], { method: 'HEAD' });
      expect(head.headers.get('content-length')).toBe(String(zip.length));
    });

    it('is refused as a whole before the first byte, for any id that can not be read', async () => {
      const running = app.shelf.add(aRecording({ status: 'ACTIVE' }));
      const lost = app.shelf.add(aRecording({}));
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
      const many = Array.from({ length: 100 }, () => app.shelf.add(aRecording({})));
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
      await sourcesOpen(1);
      response.destroy();
      request.destroy();
      await nothingOpen();
    });

    it('waits for a client that has paused', async () => {
      const before = process.memoryUsage().arrayBuffers;
      const opened = await Promise.all(Array.from({ length: 5 }, () => openAndPause(app.url + path())));
      // While a sixth takes all of it, the five could have been read to their ends into memory.
      expect((await drain(await app.get(path()))).received).toBeGreaterThanOrEqual(LARGE_BYTES);
      await sourcesOpen(5);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000);
      for (const [request] of opened) request.destroy();
    });
  });
});

describe('media that breaks off', () => {
  let server: S3Server;
  let app: MediaApp;
  let recording: Recording;

  beforeEach(async () => {
    server = await S3Server.start();
    app = await startMediaApp(server.storage());
    recording = app.shelf.add(aRecording({}));
    await app.storage.put(keyOf(recording), Buffer.alloc(4_000_000, 'm'), 'video/mp4');
  });
  afterEach(async () => {
    await app.close();
    await server.stop();
  });

  it.each([
    ['the media', () => `/recordings/${recording.id}/media`],
    ['an archive', () => `/recordings/archive?ids=${recording.id}`],
  ])('breaks the connection, so that nobody takes what came of %s for the whole', async (_name, path) => {
    server.faults.push({ kind: 'half-body', operation: 'GetObject', then: 'cut', times: 1 });
    const answer = await app.get(path());
    await expect(answer.arrayBuffer()).rejects.toThrow();
    const again = await app.get(path());
    expect((await again.arrayBuffer()).byteLength).toBe(Number(again.headers.get('content-length')));
  });

  it('before its first byte is never an answer that looks whole', async () => {
    server.faults.push({ kind: 'half-body', operation: 'GetObject', then: 'cut', times: 1 });
    server.plant(`recs/${keyOf(recording)}`, Buffer.from('x'));
    const outcome = app.get(`/recordings/${recording.id}/media`).then(async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    });
    await expect(outcome).rejects.toThrow();
  });

  it('is said to be unavailable while the storage is', async () => {
    server.faults.push({ kind: 'refuse', status: 403, code: 'AccessDenied' });
    for (const path of [`/recordings/${recording.id}/media`, `/recordings/archive?ids=${recording.id}`]) {
      const answer = await app.get(path);
      expect([answer.status, await answer.json()]).toEqual([
        503,
        { error: expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }) },
      ]);
    }
  });

  it('frees a silent storage as soon as the client goes away', async () => {
    for (const path of [`/recordings/${recording.id}/media`, `/recordings/archive?ids=${recording.id}`]) {
      server.faults.push({ kind: 'half-body', operation: 'GetObject', then: 'silence', times: 1 });
      const [request, response] = await openAndPause(app.url + path);
      response.resume();
      await eventually(() => server.openBodies === 1 || 'the storage is not asked yet');
      request.destroy();
      await eventually(() => server.openBodies === 0 || `the storage is still asked for ${path}`);
    }
  });
});

/** Reads an answer and keeps nothing of it; `most` is what the process' buffers grew by meanwhile. */
async function drain(answer: Response): Promise<{ received: number; most: number }> {
  const before = process.memoryUsage().arrayBuffers;
  let received = 0;
  let most = 0;
  for await (const chunk of answer.body ?? []) {
    received += chunk.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  return { received, most };
}

/** A client that has the head of the answer and reads no more of it. */
async function openAndPause(url: string): Promise<[ReturnType<typeof httpRequest>, IncomingMessage]> {
  const request = httpRequest(url, { headers: { authorization: 'Bearer all' } }).end();
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return [request, response];
}

let made = 0;
function aRecording(changes: Partial<Recording>): Recording {
  made += 1;
  return {
    id: newRecordingId(made),
    roomId: 'standup' as RoomId,
    roomName: 'Standup',
    status: 'COMPLETE',
    version: 4,
    egressId: null,
    layout: 'GRID',
    preset: 'H264_720P_30',
    audioOnly: false,
    filename: null,
    sizeBytes: null,
    durationMs: null,
    requestedAt: Date.UTC(2026, 2, 4, 5, 6, 5),
    startedAt: Date.UTC(2026, 2, 4, 5, 6, 7),
    endedAt: Date.UTC(2026, 2, 4, 6, 0, 1),
    updatedAt: Date.UTC(2026, 2, 4, 6, 0, 1),
    endReason: null,
    error: null,
    labels: {},
    continues: null,
    continuedBy: null,
    hasMedia: true,
    ...changes,
  };
}

function keyOf({ roomId, id, audioOnly }: Recording): string {
  return mediaKey(roomId, id, audioOnly);
}

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function digest(answer: Response): Promise<string> {
  return sha(Buffer.from(await answer.arrayBuffer()));
}
