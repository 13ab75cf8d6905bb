import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StorageConfig } from '../../src/config/config.js';
import { newRecordingId, type RoomId } from '../../src/kernel/ids.js';
import type { Recording } from '../../src/recordings/domain/recording.js';
import { mediaKey } from '../../src/storage/object-keys.js';
import { eventually } from './eventually.js';
import { type MediaApp, startMediaApp } from './media-app.js';
import { S3Server } from './s3-server.js';

const MEDIA = resolve(__dirname, '../../src/livekit/simulator/media');
export const LARGE_BYTES = 300_000_000;

export interface MediaWorld {
  readonly storage: StorageConfig;
  /** Sources being read at this moment. */
  sourcesOpen(): Promise<number>;
  /** Media of LARGE_BYTES that needs no memory. */
  plantLarge(key: string): Promise<void>;
  stop(): Promise<void>;
}

export async function folderWorld(): Promise<MediaWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-media-'));
  return {
    storage: { kind: 'file', folder, deployment: null },
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

export async function bucketWorld(): Promise<MediaWorld> {
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

/** The media app over a world, with a video, an audio and a very long recording on its shelf. */
export class MediaScene {
  private constructor(
    readonly world: MediaWorld,
    readonly app: MediaApp,
    readonly mp4: Buffer,
    readonly ogg: Buffer,
  ) {}

  readonly video = aFinishedRecording({ roomName: 'Grüße' });
  readonly audio = aFinishedRecording({ audioOnly: true, status: 'LIMIT_REACHED' });
  readonly large = aFinishedRecording({ roomId: 'large' as RoomId });

  static async over(world: MediaWorld): Promise<MediaScene> {
    const app = await startMediaApp(world.storage);
    const mp4 = await readFile(join(MEDIA, 'egress-composite.mp4'));
    const ogg = await readFile(join(MEDIA, 'egress-audio.ogg'));
    const scene = new MediaScene(world, app, mp4, ogg);
    for (const recording of [scene.video, scene.audio, scene.large]) app.shelf.add(recording);
    await app.storage.put(keyOf(scene.video), mp4, 'video/mp4');
    await app.storage.put(keyOf(scene.audio), ogg, 'audio/ogg');
    await app.storage.put(keyOf(scene.large), Buffer.from('x'), 'video/mp4');
    await world.plantLarge(keyOf(scene.large));
    return scene;
  }

  add(changes: Partial<Recording> = {}): Recording {
    return this.app.shelf.add(aFinishedRecording(changes));
  }

  sourcesOpen(count: number): Promise<void> {
    return eventually(async () => {
      const open = await this.world.sourcesOpen();
      return open === count || `${open} sources are open, not ${count}`;
    });
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.world.stop();
  }
}

export function pathOf(recording: Recording): string {
  return `/recordings/${recording.id}/media`;
}

/** Reads an answer and keeps nothing of it; `most` is what the process' buffers grew by meanwhile. */
export async function drain(answer: Response): Promise<{ received: number; most: number }> {
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
export async function openAndPause(url: string): Promise<[ClientRequest, IncomingMessage]> {
  const request = httpRequest(url, { headers: { authorization: 'Bearer all' } }).end();
  request.on('error', () => undefined);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return [request, response];
}

let made = 0;
export function aFinishedRecording(changes: Partial<Recording>): Recording {
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
    crashProof: false,
    recovered: false,
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
    roomSid: null,
    hasMedia: true,
    ...changes,
  };
}

export function keyOf(recording: Recording): string {
  return mediaKey(recording);
}

export function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function digest(answer: Response): Promise<string> {
  return sha(Buffer.from(await answer.arrayBuffer()));
}
