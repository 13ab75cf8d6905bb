import { Global, Module } from '@nestjs/common';
import { ApiKeyUses } from './api-key-uses.js';
import { ApiKeys, KnownApiKeys } from './api-keys.js';
import { BearerCredentials, Credentials } from './credentials.js';
import { LiveKitTokens } from './livekit-token.js';
import { RateLimits } from './rate-limits.js';
import { SignInFailures } from './sign-in-failures.js';

/** Global, as every door of the product asks who is there. */
@Global()
@Module({
  providers: [
    LiveKitTokens,
    SignInFailures,
    RateLimits,
    ApiKeyUses,
    { provide: ApiKeys, useClass: KnownApiKeys },
    { provide: Credentials, useClass: BearerCredentials },
  ],
  exports: [Credentials, ApiKeyUses, RateLimits],
})
export class AuthModule {}
