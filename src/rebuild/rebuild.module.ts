import { Module } from '@nestjs/common';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { StorageModule } from '../storage/storage.module.js';
import { LostAttempts } from './lost-attempts.js';
import { Rebuild } from './rebuild.js';
import { RebuildGate } from './rebuild.gate.js';
import { RebuildLedger } from './rebuild-ledger.port.js';
import { RebuildRunner } from './rebuild.runner.js';
import { RebuildTurn } from './rebuild-turn.js';
import { RedisRebuildLedger } from './redis-rebuild-ledger.js';

@Module({
  imports: [StorageModule, LiveKitModule, RoomsModule, RecordingsModule],
  providers: [
    { provide: RebuildLedger, useClass: RedisRebuildLedger },
    LostAttempts,
    Rebuild,
    RebuildTurn,
    RebuildRunner,
    RebuildGate,
  ],
})
export class RebuildModule {}
