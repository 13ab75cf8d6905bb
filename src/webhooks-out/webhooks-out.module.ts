import { Module } from '@nestjs/common';
import { MediaLinksModule } from '../media/media-links.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { DeliverDue } from './deliver/deliver-due.js';
import { Endpoints } from './deliver/endpoints.js';
import { FileDeliveries } from './deliver/file-deliveries.js';
import { SwitchOff } from './deliver/switch-off.js';
import { WebhookSender } from './deliver/webhook-sender.js';
import { WebhooksRunner } from './deliver/webhooks.runner.js';
import { WebhookResolver } from './graphql/webhook.resolver.js';
import { DeliveryStore } from './store/delivery.store.js';
import { RedisDeliveryStore } from './store/redis-delivery.store.js';
import { CheckUrl } from './use-cases/check-url.js';
import { ManageEndpoints } from './use-cases/manage-endpoints.js';
import { ResendWebhooks } from './use-cases/resend-webhooks.js';

@Module({
  imports: [MediaLinksModule, RecordingsModule],
  providers: [
    { provide: DeliveryStore, useClass: RedisDeliveryStore },
    Endpoints,
    SwitchOff,
    WebhookSender,
    FileDeliveries,
    DeliverDue,
    WebhooksRunner,
    CheckUrl,
    ManageEndpoints,
    ResendWebhooks,
    WebhookResolver,
  ],
})
export class WebhooksOutModule {}
