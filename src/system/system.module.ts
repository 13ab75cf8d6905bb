import { Module } from '@nestjs/common';
import { LiveKitModule } from '../livekit/livekit.module.js';
import { OpsModule } from '../ops/ops.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { SystemResolver } from './graphql/system.resolver.js';
import { SystemChecks } from './system-checks.js';
import { SystemWatch } from './system-watch.js';
import { Unexplained } from './unexplained.js';

/** How this deployment is. */
@Module({
  imports: [OpsModule, LiveKitModule, RecordingsModule],
  providers: [SystemChecks, SystemWatch, Unexplained, SystemResolver],
})
export class SystemModule {}
