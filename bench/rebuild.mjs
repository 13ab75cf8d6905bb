// How long a rebuild of many recordings takes, and how much memory it needs.
//   node bench/rebuild.mjs [recordings, default 100000] [rooms, default 1000]
// Needs the build (npm run build) and a redis-server or valkey-server on the PATH. Fills a folder with records as the product
// writes them, starts a private Redis, runs the command of `npm run rebuild` in a process of its own, and removes everything again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { Redis } = require('ioredis');
const { newRecording } = require('../dist/recordings/domain/new-recording.js');
const { changesBetween } = require('../dist/recordings/store/history.js');
const { newRecordingId } = require('../dist/kernel/ids.js');
const { metadataKey, roomKey } = require('../dist/storage/object-keys.js');

const COUNT = Number(process.argv[2] ?? 100_000);
const ROOMS = Number(process.argv[3] ?? 1_000);
const T0 = Date.parse('2026-01-01T00:00:00Z');
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LOOK_EVERY_MS = 50;
const MIB = 1024 * 1024;

const folder = await mkdtemp(join(tmpdir(), 'tallylight-rebuild-'));
const storage = join(folder, 'storage');
const port = await freePort();
const server = spawn('redis-server', ['--port', String(port), '--save', '', '--dir', folder], {
  stdio: 'ignore',
});
const redis = new Redis(port, { retryStrategy: () => 50 });
// It is not up yet, and in the end it is gone before its last client.
redis.on('error', () => undefined);
try {
  console.log(
    `${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`,
  );
  console.log(
    `Redis ${/redis_version:(\S+)/.exec(await redis.info('server'))[1]} on this machine, storage in a folder`,
  );
  const bytes = await fill();
  console.log(`${COUNT} records of ${Math.round(bytes / COUNT)} bytes in ${ROOMS} rooms`);
  const { seconds, peakMiB, said } = await rebuild();
  console.log(said.trim().split('\n').at(-1));
  console.log(`rebuilt in ${seconds.toFixed(1)} s: ${Math.round(COUNT / seconds)} recordings/s`);
  console.log(`peak memory of the process: ${peakMiB.toFixed(0)} MiB`);
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]);
  console.log(`memory of Redis afterwards: ${(used / MIB).toFixed(0)} MiB`);
  const back = await redis.zcard('{tl}:index:all:COMPLETE:requested');
  if (back !== COUNT) throw new Error(`${back} of ${COUNT} recordings are back`);
} finally {
  redis.disconnect();
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
  await rm(folder, { recursive: true, force: true });
}

/** The bytes of all records. */
async function fill() {
  for (let i = 0; i < ROOMS; i += 1) {
    const at = new Date(T0).toISOString();
    const room = { id: roomOf(i), name: `Room ${i}`, recordingSettings: {}, createdAt: at, updatedAt: at };
    await put(roomKey(room.id), JSON.stringify(room));
  }
  let bytes = 0;
  for (let i = 0; i < COUNT; i += 200) {
    const some = Array.from({ length: Math.min(200, COUNT - i) }, (_, n) => aRecord(i + n));
    await Promise.all(
      some.map(async (record) => {
        const text = JSON.stringify(record);
        bytes += text.length;
        await put(metadataKey(record.recording.roomId, record.recording.id), text);
      }),
    );
  }
  return bytes;
}

/** A recording with the usual five changes. */
function aRecord(i) {
  const requestedAt = T0 + i * 1_000;
  const first = newRecording({
    ...{ id: newRecordingId(requestedAt), roomId: roomOf(i % ROOMS), roomName: `Room ${i % ROOMS}` },
    ...{ layout: 'GRID', preset: 'H264_720P_30', audioOnly: false, labels: { team: `team-${i % 50}` } },
    ...{ maxDurationMs: 21_600_000, requestedAt, startLimitMs: 35_000 },
  });
  const egressId = `EG_${String(i).padStart(12, '0')}`;
  const steps = [
    { egressId },
    { status: 'ACTIVE', startedAt: requestedAt + 2_000, filename: `${first.id}.mp4` },
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
  const upkeep = { ...first.upkeep, startAnswer: 'accepted', startResult: 'ACTIVE', holdsSlot: false };
  return {
    format: 1,
    recording: { ...recording, upkeep: { ...upkeep, egresses: { [egressId]: 'over' } } },
    history,
  };
}

function entryOf(before, next, type) {
  return {
    position: { epoch: '8c0b5a56-4f0e-4d0c-9a53-0a8b3c3f6f10', id: `${next.updatedAt}-0` },
    ...{
      type,
      previousStatus: before?.status ?? null,
      cause: 'livekit',
      version: next.version,
      at: next.updatedAt,
    },
    changes: changesBetween(before, next),
  };
}

async function rebuild() {
  const started = performance.now();
  const child = spawn(process.execPath, ['dist/rebuild/rebuild-command.js'], {
    cwd: ROOT,
    env: {
      ...{ PATH: process.env.PATH, LOG_LEVEL: 'error', TALLYLIGHT_ADMIN_KEY: 'tl_a-key-for-a-measurement' },
      ...{ REDIS_URL: `redis://127.0.0.1:${port}`, STORAGE_URL: `file:${storage}` },
      // Nobody listens there: LiveKit's list is not part of what is measured.
      ...{ LIVEKIT_URL: 'http://127.0.0.1:1', LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 'secret' },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  let peakMiB = 0;
  const looking = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), LOOK_EVERY_MS);
  const [code] = await once(child, 'exit');
  clearInterval(looking);
  if (code !== 0) throw new Error(`the rebuild ended with ${code}: ${said}`);
  return { seconds: (performance.now() - started) / 1_000, peakMiB, said };
}

/** The highest resident memory so far; Linux says it, elsewhere it is not known. */
function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return 0;
    throw error;
  }
}

function roomOf(i) {
  return `room-${i}`;
}

async function put(key, text) {
  const path = join(storage, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
