import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Redis } from 'ioredis';
import { newRecordingId, type RecordingId, type RoomId } from '../../src/kernel/ids.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import type { ArchivedRecording } from '../../src/recordings/store/archived-recording.js';
import { changesBetween } from '../../src/recordings/store/history.js';
import { metadataKey, roomKey } from '../../src/storage/object-keys.js';
import { aRecording } from '../../test/support/builders.js';
import { startRedisServer } from '../../test/support/redis-server.js';
import { S3Server } from '../../test/support/s3-server.js';
import type { Bench } from '../support/figures.js';
import { rounded } from '../support/figures.js';
import { usageOf } from '../support/process-usage.js';

const ROOT = join(__dirname, '../..');
const T0 = Date.parse('2026-01-01T00:00:00Z');
const LOOK_EVERY_MS = 50;

export const rebuild: Bench = {
  name: 'rebuild',
  measures: 'the rebuild of Redis from a bucket (--size recordings, else 10,000)',
  run: async ({ quick, size }) => {
    const count = size ?? (quick ? 200 : 10_000);
    const rooms = Math.ceil(count / 100);
    const redis = await startRedisServer({ appendonly: true, fsync: 'everysec' });
    const redisClient = new Redis(redis.url);
    const s3 = await S3Server.start();
    try {
      const bytes = fill(s3, count, rooms);
      const { seconds, cpuMs, peakRssMiB } = await run(redis.url, s3);
      const back = await redisClient.zcard('{tl}:index:all:COMPLETE:requested');
      if (back !== count) throw new Error(`${back} of ${count} recordings are back`);
      return [
        {
          what: 'rebuild from the bucket',
          conditions: { recordings: count, rooms, bytesOfARecord: rounded(bytes / count, 0) },
          perSecond: rounded(count / seconds, 0),
          cpuMsEach: rounded(cpuMs / count),
          peakRssMiB: rounded(peakRssMiB, 0),
          counts: { seconds: rounded(seconds), s3RequestsEach: rounded(s3.requests.length / count) },
        },
      ];
    } finally {
      redisClient.disconnect();
      await s3.stop();
      await redis.close();
    }
  },
};

/** Rooms and records as the product writes them, and no media, which a rebuild does not read. */
function fill(s3: S3Server, count: number, rooms: number): number {
  const at = new Date(T0).toISOString();
  for (let i = 0; i < rooms; i += 1) {
    const room = { id: roomOf(i), name: `Room ${i}`, recordingSettings: {}, createdAt: at, updatedAt: at };
    s3.plant(`recs/${roomKey(room.id)}`, Buffer.from(JSON.stringify(room)), 'application/json');
  }
  let bytes = 0;
  for (let i = 0; i < count; i += 1) {
    const record = aRecord(i, roomOf(i % rooms));
    const body = Buffer.from(JSON.stringify(record));
    bytes += body.length;
    s3.plant(`recs/${metadataKey(record.recording)}`, body, 'application/json');
  }
  return bytes;
}

/** A recording with the usual five changes. */
function aRecord(i: number, roomId: RoomId): ArchivedRecording {
  const requestedAt = T0 + i * 1_000;
  const id: RecordingId = newRecordingId(requestedAt);
  const labels = { team: `team-${i % 50}` };
  const first = aRecording({ id, roomId, labels, requestedAt, updatedAt: requestedAt });
  const egressId = `EG_${String(i).padStart(12, '0')}`;
  const steps: readonly Partial<StoredRecording>[] = [
    { egressId },
    { status: 'ACTIVE', startedAt: requestedAt + 2_000, filename: `${id}.mp4` },
    { status: 'ENDING', endReason: 'STOP_REQUESTED' },
    {
      status: 'COMPLETE',
      endedAt: requestedAt + 60_000,
      hasMedia: true,
      sizeBytes: 1_000 + i,
      durationMs: i,
    },
  ];
  const history = [entryOf(null, first, 'REQUESTED')];
  let recording = first;
  for (const step of steps) {
    const { version, rev, updatedAt } = recording;
    const next = { ...recording, ...step, version: version + 1, rev: rev + 1, updatedAt: updatedAt + 1_000 };
    history.push(entryOf(recording, next, step.status ? 'STATUS_CHANGED' : 'UPDATED'));
    recording = next;
  }
  const upkeep = {
    ...first.upkeep,
    ...{ startAnswer: 'accepted' as const, startResult: 'ACTIVE' as const, holdsSlot: false },
    egresses: { [egressId]: 'over' as const },
  };
  return { format: 1, recording: { ...recording, upkeep }, history };
}

function entryOf(
  before: StoredRecording | null,
  next: StoredRecording,
  type: 'REQUESTED' | 'STATUS_CHANGED' | 'UPDATED',
): ArchivedRecording['history'][number] {
  return {
    position: { epoch: '8c0b5a56-4f0e-4d0c-9a53-0a8b3c3f6f10', id: `${next.updatedAt}-0` },
    ...{ type, previousStatus: before?.status ?? null, cause: 'livekit' },
    ...{ version: next.version, at: next.updatedAt, changes: changesBetween(before, next) },
  };
}

function roomOf(i: number): RoomId {
  return `room-${i}` as RoomId;
}

/** What `npm run rebuild` runs, in a process of its own. */
async function run(
  redisUrl: string,
  s3: S3Server,
): Promise<{ seconds: number; cpuMs: number; peakRssMiB: number }> {
  const begun = performance.now();
  const child = spawn(process.execPath, ['dist/rebuild/rebuild-command.js'], {
    cwd: ROOT,
    env: {
      ...{ PATH: process.env.PATH, LOG_LEVEL: 'error', TALLYLIGHT_ADMIN_KEY: 'tl_a-key-for-a-measurement' },
      REDIS_URL: redisUrl,
      ...s3.env(),
      // Nobody listens there: LiveKit's list is not part of what is measured.
      ...{ LIVEKIT_URL: 'http://127.0.0.1:1', LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => (said += String(text)));
  let usage = { cpuMs: 0, peakRssMiB: 0 };
  const looking = setInterval(() => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const now = usageOf(child.pid!);
    // One that has just ended has no memory any more.
    if (!Number.isNaN(now.peakRssMiB)) usage = now;
  }, LOOK_EVERY_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(looking);
  if (code !== 0) throw new Error(`the rebuild ended with ${code}: ${said}`);
  return { seconds: (performance.now() - begun) / 1_000, ...usage };
}
