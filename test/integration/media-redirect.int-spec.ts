import type { Recording } from '../../src/recordings/domain/recording.js';
import { attachment, mediaFilename } from '../../src/media/media-filename.js';
import { type MediaApp, startMediaApp } from '../support/media-app.js';
import { aFinishedRecording, keyOf } from '../support/media-scene.js';
import { S3Server } from '../support/s3-server.js';

const body = Buffer.from('0123456789');
const SIX_HOURS_S = 6 * 3_600;

describe('media that is redirected to the bucket', () => {
  let server: S3Server;
  let app: MediaApp;
  let recording: Recording;
  let path: string;

  beforeAll(async () => {
    server = await S3Server.start();
    app = await startMediaApp(server.storage(), 'redirect');
  });
  beforeEach(async () => {
    server.faults.length = 0;
    recording = app.shelf.add(aFinishedRecording({ roomName: 'Grüße' }));
    path = `/recordings/${recording.id}/media`;
    await app.storage.put(keyOf(recording), body, 'application/octet-stream');
  });
  afterAll(async () => {
    await app.close();
    await server.stop();
  });

  const redirectOf = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await app.get(url, headers, { redirect: 'manual' });
    expect([answer.status, await answer.text()]).toEqual([307, '']);
    return { answer, to: new URL(answer.headers.get('location') ?? '') };
  };

  it('is answered with an address of its own that is kept by nobody', async () => {
    const { answer, to } = await redirectOf(path);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(answer.headers.has('etag')).toBe(false);
    expect(to.origin).toBe(server.endpoint);
    expect(to.pathname).toBe(`/tally/recs/${keyOf(recording)}`);
    expect(Number(to.searchParams.get('X-Amz-Expires'))).toBeGreaterThan(SIX_HOURS_S - 60);
    expect(Number(to.searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(SIX_HOURS_S);
    const media = await fetch(to);
    expect(media.headers.get('content-type')).toBe('video/mp4');
    expect(media.headers.has('content-disposition')).toBe(false);
    expect(Buffer.from(await media.arrayBuffer())).toEqual(body);
  });

  it('opens no longer than the media token that was shown', async () => {
    const url = app.links.url(recording.id, 50);
    const { to } = await redirectOf(url.slice(url.indexOf('/recordings')));
    const lifeS = Number(to.searchParams.get('X-Amz-Expires'));
    expect(lifeS).toBeLessThanOrEqual(50);
    expect(lifeS).toBeGreaterThan(30);
    const day = app.links.url(recording.id, 86_400);
    const long = await redirectOf(day.slice(day.indexOf('/recordings')));
    expect(Number(long.to.searchParams.get('X-Amz-Expires'))).toBeGreaterThan(86_000);
  });

  it('is found by a player that follows, in parts and as audio', async () => {
    const part = await app.get(path, { range: 'bytes=2-4' });
    expect([part.status, part.redirected, await part.text()]).toEqual([206, true, '234']);
    const audio = app.shelf.add(aFinishedRecording({ audioOnly: true }));
    await app.storage.put(keyOf(audio), body, 'application/octet-stream');
    const whole = await app.get(`/recordings/${audio.id}/media`);
    expect(whole.headers.get('content-type')).toBe('audio/ogg');
  });

  it('is saved under the name that it has here', async () => {
    const saved = await app.get(`${path}?download=1`);
    expect(saved.redirected).toBe(true);
    expect(saved.headers.get('content-disposition')).toBe(attachment(mediaFilename(recording)));
  });

  it('is looked at here: HEAD, conditions and ranges that nothing satisfies', async () => {
    const head = await app.get(path, {}, { method: 'HEAD', redirect: 'manual' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
    const etag = head.headers.get('etag') ?? '';
    const ask = async (headers: Record<string, string>) => app.get(path, headers, { redirect: 'manual' });
    expect((await ask({ 'if-none-match': etag })).status).toBe(304);
    expect((await ask({ 'if-match': '"other"' })).status).toBe(412);
    const beyond = await ask({ range: 'bytes=10-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  });

  it('is refused in our words where there is nothing to be redirected to', async () => {
    const refusals: [Recording, number, string][] = [
      [app.shelf.add(aFinishedRecording({})), 410, 'MEDIA_GONE'],
      [app.shelf.add(aFinishedRecording({ status: 'ACTIVE' })), 409, 'RECORDING_NOT_STOPPED'],
    ];
    for (const told of [{ 'x-amz-storage-class': 'GLACIER' }, null]) {
      const archived = app.shelf.add(aFinishedRecording({}));
      await app.storage.put(keyOf(archived), body, 'video/mp4');
      server.archived.set(`recs/${keyOf(archived)}`, told);
      refusals.push([archived, 410, 'MEDIA_GONE']);
    }
    for (const [{ id }, status, code] of refusals) {
      const answer = await app.get(`/recordings/${id}/media`, {}, { redirect: 'manual' });
      expect([answer.status, await answer.json()]).toEqual([
        status,
        { error: expect.objectContaining({ code, recordingId: id }) },
      ]);
    }
    server.faults.push({ kind: 'refuse', status: 403, code: 'AccessDenied' });
    expect((await app.get(path, {}, { redirect: 'manual' })).status).toBe(503);
  });

  it('is still packed here', async () => {
    const answer = await app.get(`/recordings/archive?ids=${recording.id}`, {}, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/zip']);
    await answer.arrayBuffer();
  });
});
