import { Module } from '@nestjs/common';
import { JwtWebhookVerifier } from './jwt-webhook.verifier.js';
import { HttpLiveKit } from './livekit-http.js';
import { LiveKit } from './livekit.port.js';
import { RefusedWebhooks } from './refused-webhooks.js';
import { RoomSignals } from './room-signal.js';
import { WebhookVerifier } from './webhook.verifier.js';

@Module({
  providers: [
    { provide: LiveKit, useClass: HttpLiveKit },
    { provide: WebhookVerifier, useClass: JwtWebhookVerifier },
    RefusedWebhooks,
    RoomSignals,
  ],
  exports: [LiveKit, WebhookVerifier, RoomSignals],
})
export class LiveKitModule {}
