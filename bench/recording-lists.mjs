// How long a page of a list takes, and what a recording costs in Redis memory, with many recordings.
//   node bench/recording-lists.mjs [recordings, default 100000]
// Needs the build (npm run build) and a redis-server or valkey-server on the PATH. Starts a private one, ends it again.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const require = createRequire(import.meta.url);
const { Logger } = require('@nestjs/common');
const { RedisConnections } = require('../dist/redis/redis.connections.js');
const { WholeMark } = require('../dist/redis/whole-mark.js');
const { RedisRecordingStore } = require('../dist/recordings/store/redis-recording.store.js');
const { RedisRecordingPages } = require('../dist/recordings/store/redis-recording-pages.js');
const { newRecording } = require('../dist/recordings/domain/new-recording.js');
const { newRecordingId } = require('../dist/kernel/ids.js');

Logger.overrideLogger(false);
const COUNT = Number(process.argv[2] ?? 100_000);
const ROOMS = 1_000;
const SAMPLES = 300;
const STATUSES = [
  'COMPLETE',
  'COMPLETE',
  'COMPLETE',
  'COMPLETE',
  'COMPLETE',
  'COMPLETE',
  'LIMIT_REACHED',
  'FAILED',
  'ABORTED',
  'COMPLETE',
];
const T0 = Date.parse('2026-01-01T00:00:00Z');
const ALL = ['STARTING', 'ACTIVE', 'ENDING', 'COMPLETE', 'FAILED', 'ABORTED', 'LIMIT_REACHED'];

const port = await freePort();
const folder = await mkdtemp(join(tmpdir(), 'tallylight-bench-'));
const server = spawn(
  'redis-server',
  ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder],
  { stdio: 'ignore' },
);
const connections = new RedisConnections({ redisUrl: `redis://127.0.0.1:${port}` });
try {
  await new WholeMark(connections).set();
  const pages = new RedisRecordingPages(connections);
  const store = new RedisRecordingStore(connections, pages, { now: () => Date.now() });
  const empty = await usedMemory();
  console.log(`filling Redis with ${COUNT} recordings in ${ROOMS} rooms, one label each …`);
  const fillStarted = performance.now();
  await fill(store);
  console.log(
    `filled with ${Math.round((COUNT * 5) / ((performance.now() - fillStarted) / 1_000))} commits/s`,
  );
  const perRecording = ((await usedMemory()) - empty) / COUNT;
  const info = await connections.command.info('server');
  console.log(
    `conditions: ${COUNT} recordings, Redis ${/redis_version:(\S+)/.exec(info)?.[1]} on loopback, node ${process.version}, ${cpus().length} CPUs, ${SAMPLES} samples each`,
  );
  console.log(
    `Redis memory per recording, with its history, indexes and one label: ${Math.round(perRecording)} bytes`,
  );
  const base = {
    rooms: null,
    statuses: ALL,
    requestedAfter: null,
    requestedBefore: null,
    labels: {},
    field: 'REQUESTED_AT',
    direction: 'DESC',
    first: 20,
    after: null,
  };
  const middle = await cursorInTheMiddle(pages, base);
  await measure(pages, 'first page, all rooms', () => base);
  await measure(pages, 'a page from the middle', () => ({ ...base, after: middle }));
  await measure(pages, 'one room', (i) => ({ ...base, rooms: [`room-${i % ROOMS}`] }));
  await measure(pages, 'one room, two statuses, a month', (i) => ({
    ...base,
    rooms: [`room-${i % ROOMS}`],
    statuses: ['COMPLETE', 'FAILED'],
    requestedAfter: T0,
    requestedBefore: T0 + 30 * 86_400_000,
  }));
  await measure(pages, 'by duration, all rooms', () => ({ ...base, field: 'DURATION' }));
  await measure(pages, 'by size, ascending, one status', () => ({
    ...base,
    field: 'SIZE',
    direction: 'ASC',
    statuses: ['COMPLETE'],
  }));
  await measure(pages, 'by a label', (i) => ({ ...base, labels: { team: `team-${i % 50}` } }));
  await measure(pages, 'by duration among 10,000 of a label at most', (i) => ({
    ...base,
    field: 'DURATION',
    rooms: [`room-${i % ROOMS}`],
    labels: { team: `team-${i % 50}` },
  }));
} finally {
  connections.onApplicationShutdown();
  server.kill();
  await rm(folder, { recursive: true, force: true });
}

async function fill(store) {
  const atOnce = 64;
  for (let from = 0; from < COUNT; from += atOnce) {
    await Promise.all(
      Array.from({ length: Math.min(atOnce, COUNT - from) }, (_, k) => commit(store, from + k)),
    );
  }
}

async function commit(store, i) {
  const requestedAt = T0 + i * 20;
  const status = STATUSES[i % STATUSES.length];
  const requested = newRecording({
    id: newRecordingId(requestedAt),
    roomId: `room-${i % ROOMS}`,
    roomName: `Weekly meeting of group ${i % ROOMS}`,
    layout: 'GRID',
    preset: 'H264_720P_30',
    audioOnly: false,
    maxDurationMs: 21_600_000,
    labels: { team: `team-${i % 50}` },
    requestedAt,
    startLimitMs: 35_000,
  });
  const ended = {
    ...requested,
    status,
    egressId: `EG_${String(i).padStart(12, '0')}`,
    filename: `${requested.id}.mp4`,
    sizeBytes: status === 'FAILED' ? null : (i * 7_919) % 900_000_000,
    durationMs: status === 'FAILED' ? null : (i * 104_729) % 7_200_000,
    startedAt: requestedAt + 4_000,
    endedAt: requestedAt + 3_600_000,
    endReason: 'STOP_REQUESTED',
    hasMedia: status !== 'FAILED',
    upkeep: {
      ...requested.upkeep,
      holdsSlot: false,
      startAnswer: 'accepted',
      startResult: 'ACTIVE',
      egresses: { [`EG_${String(i).padStart(12, '0')}`]: 'over' },
      bucketChecked: true,
    },
  };
  // As many events as an ordinary life has: its history is part of the cost.
  let before = null;
  for (let version = 1; version <= 5; version++) {
    const next = {
      ...(version === 5 ? ended : { ...requested, upkeep: { ...requested.upkeep, holdsSlot: false } }),
      version,
      rev: version,
    };
    await store.commit({
      before,
      next,
      event: { type: version === 1 ? 'REQUESTED' : 'STATUS_CHANGED', previousStatus: null },
      cause: 'bench',
      effects: [],
      at: requestedAt + version * 1_000,
    });
    before = next;
  }
  // The event log keeps days, not years: its cost is not that of a kept recording.
  if (i % 5_000 === 0) await connections.command.xtrim('{tl}:events', 'MAXLEN', 0);
}

async function cursorInTheMiddle(pages, query) {
  const page = await pages.read({ ...query, requestedBefore: T0 + (COUNT / 2) * 20, first: 1 });
  return page.items[0].cursor;
}

async function measure(pages, name, queryOf) {
  const times = [];
  for (let i = 0; i < SAMPLES; i++) {
    const started = performance.now();
    await pages.read(queryOf(i));
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(2);
  console.log(`${name.padEnd(48)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`);
}

async function usedMemory() {
  await connections.command.xtrim('{tl}:events', 'MAXLEN', 0);
  return Number(/used_memory:(\d+)/.exec(await connections.command.info('memory'))[1]);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
