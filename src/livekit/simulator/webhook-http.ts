import type { WebhookEvent } from '@livekit/protocol';

/** One webhook as it goes over the wire; the same for every attempt. */
export interface WebhookDelivery {
  readonly event: WebhookEvent;
  /** Exactly the bytes that `authorization` holds the hash of. */
  readonly body: Buffer;
  /** The token alone, without `Bearer`. */
  readonly authorization: string;
}

/** Returns the answer's HTTP status; throws when there was none. */
export type WebhookReceiver = (
  delivery: WebhookDelivery,
) => Promise<{ readonly status: number; readonly retryAfterMs?: number }>;

/** Posts webhooks to an address as livekit-server does: without a limit of time, following redirects. */
export function httpReceiver(url: string, signal?: AbortSignal): WebhookReceiver {
  return async ({ body, authorization }) => {
    const answer = await fetch(url, {
      method: 'POST',
      body: new Uint8Array(body),
      signal,
      headers: {
        'content-type': 'application/webhook+json',
        'user-agent': 'Go-http-client/1.1',
        authorization,
      },
    });
    // Unread answers keep their connections busy.
    await answer.arrayBuffer();
    const retryAfterSeconds = Number(answer.headers.get('retry-after'));
    return retryAfterSeconds > 0
      ? { status: answer.status, retryAfterMs: retryAfterSeconds * 1_000 }
      : { status: answer.status };
  };
}
