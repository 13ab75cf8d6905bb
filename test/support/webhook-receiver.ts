import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveKitEvent } from '../../src/livekit/livekit.types.js';
import type { WebhookVerifier } from '../../src/livekit/webhook.verifier.js';

/** Takes LiveKit's webhooks at any path and keeps the events that carry a good signature, each once, in the order of arrival. */
export class WebhookReceiver {
  private readonly seen = new Map<string, LiveKitEvent>();
  private readonly raw: string[] = [];
  private readonly problems: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly verifier: WebhookVerifier,
  ) {}

  /** Port 0: any free one. */
  static async listen(
    verifier: WebhookVerifier,
    { host = '127.0.0.1', port = 0 } = {},
  ): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server, verifier);
    server.on('request', (request, response) => void receiver.take(request, response));
    server.listen(port, host);
    await once(server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/webhook`;
  }

  get events(): LiveKitEvent[] {
    return [...this.seen.values()];
  }

  /** The bodies as they came, repetitions too. */
  get bodies(): readonly string[] {
    return this.raw;
  }

  /** Why requests were not believed. */
  get refusals(): readonly string[] {
    return this.problems;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.raw.push(body.toString('utf8'));
    try {
      const event = await this.verifier.verify(body, request.headers.authorization);
      if (!this.seen.has(event.id)) this.seen.set(event.id, event);
      response.writeHead(200).end();
    } catch (error) {
      this.problems.push(error instanceof Error ? error.message : String(error));
      response.writeHead(401).end();
    }
  }
}
