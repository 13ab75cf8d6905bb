import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Recording } from '../../src/recordings/domain/recording.js';
import { eventually } from '../support/eventually.js';
import { type MediaApp, startMediaApp } from '../support/media-app.js';
import {
  aFinishedRecording,
  folderWorld,
  keyOf,
  LARGE_BYTES,
  MediaScene,
  openAndPause,
  pathOf,
} from '../support/media-scene.js';
import { S3Server } from '../support/s3-server.js';

describe('media that breaks off', () => {
  let server: S3Server;
  let app: MediaApp;
  let recording: Recording;

  beforeEach(async () => {
    server = await S3Server.start();
    app = await startMediaApp(server.storage());
    recording = app.shelf.add(aFinishedRecording({}));
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
    const answer = await app.get(`/recordings/${recording.id}/media`);
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { error: expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }) },
    ]);
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

  it.each([
    ['a look tells', { 'x-amz-storage-class': 'DEEP_ARCHIVE' }],
    ['only a read tells', null],
  ])(
    'is gone while it is in an archive (%s), and a ZIP says so before its first byte',
    async (_name, told) => {
      const readable = app.shelf.add(aFinishedRecording({}));
      await app.storage.put(keyOf(readable), Buffer.from('m'), 'video/mp4');
      server.archived.set(`recs/${keyOf(recording)}`, told);
      const ids = [readable.id, recording.id].join(',');
      for (const path of [`/recordings/${recording.id}/media`, `/recordings/archive?ids=${ids}`]) {
        const answer = await app.get(path);
        expect([answer.status, await answer.json()]).toEqual([
          410,
          {
            error: expect.objectContaining({
              code: 'MEDIA_GONE',
              recordingId: recording.id,
              message: expect.stringContaining('archive'),
            }),
          },
        ]);
      }
    },
  );

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

describe('a file that is cut short while it is sent', () => {
  it('breaks the connection, so that nobody takes what came of it for the whole', async () => {
    const world = await folderWorld();
    const scene = await MediaScene.over(world);
    const { large, app } = scene;
    for (const path of [pathOf(large), `/recordings/archive?ids=${large.id}`]) {
      await world.plantLarge(keyOf(large));
      const [, response] = await openAndPause(app.url + path);
      expect(Number(response.headers['content-length'])).toBeGreaterThanOrEqual(LARGE_BYTES);
      if (world.storage.kind === 'file') await truncate(join(world.storage.folder, keyOf(large)), 1_000_000);
      await expect(buffer(response)).rejects.toThrow('aborted');
    }
    await scene.sourcesOpen(0);
    await scene.stop();
  });
});
