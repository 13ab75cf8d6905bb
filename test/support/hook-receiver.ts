import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Hook {
  readonly id: string;
  readonly signatures: readonly string[];
  readonly path: string;
  readonly type: string;
  readonly body: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Record<string, unknown>;
  };
  readonly recording: Record<string, unknown> & { readonly id: string; readonly version: number };
}

/** What a receiver answers: a status, or nothing at all. */
export type Manner = (hook: Hook, response: ServerResponse) => number | null;

/** Takes webhooks as a customer would: believes those that the public library verifies, and answers as it is told. */
export class HookReceiver {
  secret = '';
  manner: Manner = () => 200;
  /** In the order of arrival, repetitions too. */
  readonly came: Hook[] = [];
  /** Those that were answered with success. */
  readonly taken: Hook[] = [];
  readonly disbelieved: string[] = [];

  private constructor(private readonly server: Server) {}

  static async listen(): Promise<HookReceiver> {
    const server = createServer();
    const receiver = new HookReceiver(server);
    server.on('request', (request, response) => void receiver.take(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  of(recordingId: string): Hook[] {
    return this.taken.filter(({ recording }) => recording.id === recordingId);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const headers = request.headers as Record<string, string>;
    try {
      const body = new Webhook(this.secret).verify(text, headers) as Hook['body'];
      const hook: Hook = {
        id: headers['webhook-id'] ?? '',
        signatures: (headers['webhook-signature'] ?? '').split(' '),
        path: request.url ?? '',
        type: body.type,
        body,
        recording: (body.data.recording ?? {}) as Hook['recording'],
      };
      this.came.push(hook);
      const status = this.manner(hook, response);
      if (status === null) return;
      if (status >= 200 && status < 300) this.taken.push(hook);
      response
        .writeHead(status, status >= 300 && status < 400 ? { location: '/elsewhere' } : {})
        .end('thanks');
    } catch (error) {
      this.disbelieved.push(String(error));
      response.writeHead(401).end();
    }
  }
}
