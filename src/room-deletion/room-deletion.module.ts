import { Module } from '@nestjs/common';
import { BulkDeletionsModule } from '../bulk-deletions/bulk-deletions.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { DeleteRoom } from './delete-room.js';
import { RoomDeletionResolver } from './graphql/room-deletion.resolver.js';

@Module({
  imports: [RoomsModule, RecordingsModule, BulkDeletionsModule],
  providers: [DeleteRoom, RoomDeletionResolver],
})
export class RoomDeletionModule {}
