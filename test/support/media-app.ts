import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { may } from '../../src/auth/rights.js';
import { Credentials } from '../../src/auth/credentials.js';
import type { Identified } from '../../src/auth/identified.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { Config, type StorageConfig } from '../../src/config/config.js';
import { readConfig } from '../../src/config/config.schema.js';
import type { Actor } from '../../src/kernel/actor.js';
import { TallyError } from '../../src/kernel/errors.js';
import { parseRoomId } from '../../src/kernel/ids.js';
import { MediaCatalog } from '../../src/media/media-catalog.port.js';
import { MediaLinks } from '../../src/media/media-links.js';
import { MediaModule } from '../../src/media/media.module.js';
import { HttpErrors } from '../../src/ops/http-errors.js';
import type { Recording } from '../../src/recordings/domain/recording.js';
import { ObjectStorage } from '../../src/storage/object-storage.port.js';

/** The recordings there are, in memory. */
export class Shelf extends MediaCatalog {
  readonly recordings = new Map<string, Recording>();

  add(recording: Recording): Recording {
    this.recordings.set(recording.id, recording);
    return recording;
  }

  async find(id: string, actor: Actor | null): Promise<Recording> {
    const found = this.recordings.get(id);
    if (found && (actor === null || may(actor, 'read', found.roomId))) return found;
    throw new TallyError('RECORDING_NOT_FOUND', `there is no recording ${id}`);
  }
}

/** `Bearer all` sees every room, `Bearer <room>` that one alone. */
class BearerIsRoom extends Credentials {
  async identify(authorization: string | undefined): Promise<Identified> {
    const word = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
    const room = parseRoomId(word ?? '');
    if (!word || !room) throw new TallyError('UNAUTHENTICATED', 'send a bearer');
    const rooms = word === 'all' ? null : [room];
    const actor: Actor = { name: word, callerId: word, role: 'VIEWER', rooms, mayDelete: false };
    return { actor, expiresAt: null, mayEnd: false };
  }

  async countHolder(): Promise<void> {
    await Promise.resolve();
  }

  async countWrong(): Promise<void> {
    await Promise.resolve();
  }
}

@Global()
@Module({ providers: [{ provide: Credentials, useClass: BearerIsRoom }], exports: [Credentials] })
class DoorModule {}

@Module({
  providers: [Shelf, { provide: MediaCatalog, useExisting: Shelf }],
  exports: [MediaCatalog],
})
class ShelfModule {}

export interface MediaApp {
  readonly url: string;
  readonly shelf: Shelf;
  readonly storage: ObjectStorage;
  readonly links: MediaLinks;
  get(path: string, headers?: Record<string, string>, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** The media module alone behind a real port, over a storage, with a shelf of recordings. */
export async function startMediaApp(
  storage: StorageConfig,
  mediaDelivery: Config['mediaDelivery'] = 'proxy',
): Promise<MediaApp> {
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.with(configOver(storage, mediaDelivery)),
      DoorModule,
      MediaModule.over(ShelfModule),
    ],
    providers: [{ provide: APP_FILTER, useClass: HttpErrors }],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: false },
  );
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    url,
    shelf: app.get(Shelf, { strict: false }),
    storage: app.get(ObjectStorage, { strict: false }),
    links: app.get(MediaLinks, { strict: false }),
    get: (path, headers = {}, init = {}) =>
      fetch(url + path, { ...init, headers: { authorization: 'Bearer all', ...headers } }),
    close: () => app.close(),
  };
}

function configOver(storage: StorageConfig, mediaDelivery: Config['mediaDelivery']): Config {
  const config = readConfig(
    {
      TALLYLIGHT_ADMIN_KEY: 'an-admin-key-of-enough-length',
      REDIS_URL: 'redis://localhost',
      STORAGE_URL: 'file:/replaced',
      LIVEKIT_URL: 'ws://localhost',
      LIVEKIT_API_KEY: 'key',
      LIVEKIT_API_SECRET: 'secret',
    },
    { development: false, onTerminal: false },
  );
  return new Config({ ...config, storage, mediaDelivery });
}
