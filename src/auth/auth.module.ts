import { Global, Module } from '@nestjs/common';
import { ApiKeys, ConfiguredApiKeys } from './api-keys.js';
import { BearerCredentials, Credentials } from './credentials.js';
import { LiveKitTokens } from './livekit-token.js';

/** Global, as every door of the product asks who is there. */
@Global()
@Module({
  providers: [
    LiveKitTokens,
    { provide: ApiKeys, useClass: ConfiguredApiKeys },
    { provide: Credentials, useClass: BearerCredentials },
  ],
  exports: [Credentials],
})
export class AuthModule {}
