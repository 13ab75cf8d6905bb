import { SystemClock } from '../../src/kernel/clock.js';
import { parseRoomId, type RoomId } from '../../src/kernel/ids.js';
import { SystemRandom } from '../../src/kernel/random.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { newRoom, type Room } from '../../src/rooms/domain/room.js';
import { RedisRoomStore } from '../../src/rooms/store/redis-room.store.js';
import type { RoomArchive } from '../../src/rooms/store/room-archive.js';
import type { RoomPage, RoomQuery } from '../../src/rooms/store/room.store.js';
import { RoomSaver } from '../../src/rooms/write/room-saver.js';
import { RoomWriter } from '../../src/rooms/write/room.writer.js';
import { UnsavedRoomsRunner } from '../../src/rooms/write/unsaved-rooms.runner.js';
import { aConfig } from './a-config.js';

/** What one process of the product has to do with rooms. */
export function aRoomProcess(redisUrl: string, archive: RoomArchive) {
  const config = aConfig({ REDIS_URL: redisUrl });
  const clock = new SystemClock();
  const connections = new RedisConnections(config);
  const store = new RedisRoomStore(connections);
  const saver = new RoomSaver(store, archive);
  const writer = new RoomWriter(store, saver, clock, new SystemRandom());
  const repair = new UnsavedRoomsRunner(store, saver, clock, config);
  const end = (): void => connections.onApplicationShutdown();
  return { connections, redis: connections.command, store, saver, writer, repair, end };
}
export type RoomProcess = ReturnType<typeof aRoomProcess>;

export function toId(text: string): RoomId {
  const parsed = parseRoomId(text);
  if (parsed === null) throw new Error(`${text} is no room id`);
  return parsed;
}

export function aRoom(id: string, name = id, at = 1_700_000_000_000): Room {
  return newRoom(toId(id), { name }, at);
}

export function aRoomQuery(query: Partial<RoomQuery> = {}): RoomQuery {
  return { nameContains: null, within: null, first: 20, after: null, ...query };
}

export function idsOf(page: RoomPage): string[] {
  return page.rooms.map((room) => room.id);
}
