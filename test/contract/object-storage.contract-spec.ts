import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config/config.schema.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { newToken } from '../../src/kernel/ids.js';
import { FileObjectStorage } from '../../src/storage/file-object-storage.js';
import { S3ObjectStorage } from '../../src/storage/s3-object-storage.js';
import { S3Server } from '../support/s3-server.js';
import { findVersitygw, startVersitygw, WITHOUT_VERSITYGW } from '../support/versitygw.js';
import { objectStorageBattery } from './object-storage.suite.js';

objectStorageBattery('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tallylight-storage-'));
  return {
    storage: new FileObjectStorage(join(folder, 'storage'), new SystemClock()),
    space: 'space',
    stop: () => rm(folder, { recursive: true }),
  };
});

objectStorageBattery('a bucket', async () => {
  const server = await S3Server.start();
  server.pageSize = 100;
  const storage = new S3ObjectStorage(server.storage(), new SystemClock());
  return {
    storage,
    space: 'space',
    stop: async () => {
      storage.onApplicationShutdown();
      await server.stop();
    },
  };
});

const program = findVersitygw();
if (program !== null) {
  objectStorageBattery('a real S3 server', async () => {
    const server = await startVersitygw(program);
    const storage = new S3ObjectStorage(server.at, new SystemClock());
    return {
      storage,
      space: 'space',
      stop: async () => {
        storage.onApplicationShutdown();
        await server.stop();
      },
    };
  });
} else {
  describe.skip(`a real S3 server: ${WITHOUT_VERSITYGW}`, () => {
    it('does what the other storages do', () => undefined);
  });
}

const { STORAGE_URL = '', S3_ENDPOINT } = process.env;
if (S3_ENDPOINT && STORAGE_URL.startsWith('s3:')) {
  objectStorageBattery(`the real bucket ${STORAGE_URL}`, async () => {
    const { storage: at } = readConfig(
      {
        TALLYLIGHT_ADMIN_KEY: 'only-to-read-the-rest',
        REDIS_URL: 'redis://localhost',
        LIVEKIT_URL: 'ws://localhost',
        LIVEKIT_API_KEY: 'unused',
        LIVEKIT_API_SECRET: 'unused',
        ...process.env,
      },
      { development: false, onTerminal: false },
    );
    if (at.kind !== 's3') throw new Error('STORAGE_URL names no bucket');
    const storage = new S3ObjectStorage(at, new SystemClock());
    return { storage, space: `battery-${newToken()}`, stop: async () => storage.onApplicationShutdown() };
  });
} else {
  describe.skip('a real bucket: skipped because STORAGE_URL=s3://… and S3_ENDPOINT name none', () => {
    it('does what the other storages do', () => undefined);
  });
}
