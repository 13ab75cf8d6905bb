import type { WebhookReceiver } from './webhook-outbox.js';

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
