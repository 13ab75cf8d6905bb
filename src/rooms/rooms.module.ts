import { Module } from '@nestjs/common';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { RoomResolver } from './graphql/room.resolver.js';
import { RedisRoomStore } from './store/redis-room.store.js';
import { RoomArchive } from './store/room-archive.js';
import { RoomStore } from './store/room.store.js';
import { CreateRoom } from './use-cases/create-room.js';
import { FindRooms } from './use-cases/find-rooms.js';
import { LiveRooms } from './use-cases/live-rooms.js';
import { OpenRooms } from './use-cases/open-rooms.js';
import { RoomDirectory } from './use-cases/room-directory.js';
import { UpdateRoom } from './use-cases/update-room.js';
import { RoomSaver } from './write/room-saver.js';
import { RoomWriter } from './write/room.writer.js';
import { UnsavedRoomsRunner } from './write/unsaved-rooms.runner.js';

@Module({
  imports: [StorageModule, LiveKitModule],
  providers: [
    { provide: RoomStore, useClass: RedisRoomStore },
    RoomArchive,
    RoomSaver,
    RoomWriter,
    UnsavedRoomsRunner,
    CreateRoom,
    UpdateRoom,
    FindRooms,
    LiveRooms,
    OpenRooms,
    RoomDirectory,
    RoomResolver,
  ],
  exports: [RoomStore, RoomArchive, RoomWriter, FindRooms, RoomDirectory],
})
export class RoomsModule {}
