import type { LiveKitEvent } from './livekit.types.js';

/** Verifies a webhook over its raw bytes. Throws UNAUTHENTICATED for a bad signature, BAD_USER_INPUT for a body that is no event. */
export abstract class WebhookVerifier {
  abstract verify(rawBody: Buffer, authorization: string | undefined): Promise<LiveKitEvent>;
}
