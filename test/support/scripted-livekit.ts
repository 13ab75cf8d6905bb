import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isTallyError } from '../../src/kernel/errors.js';
import { HttpLiveKit } from '../../src/livekit/livekit-http.js';
import { aConfig } from './a-config.js';
import { type GoldenCall, GOLDEN_KEYS, goldenCase } from './golden-payloads.js';

export type ScriptedAnswer = Pick<GoldenCall, 'status' | 'content_type' | 'response'>;

export interface AskedRequest {
  readonly path: string;
  readonly authorization: string;
  /** For how long LiveKit may work on it, ms; null: as long as it likes. */
  readonly limit: string | null;
  readonly body: Record<string, unknown>;
}

/** A server in LiveKit's place that answers what the test says; `silent` takes a request and says nothing. */
export class ScriptedLiveKit {
  asked: AskedRequest[] = [];
  behaviour: (asked: AskedRequest) => ScriptedAnswer | 'silent' | 'hang-up' = () => 'hang-up';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ScriptedLiveKit> {
    const server = createServer();
    const scripted = new ScriptedLiveKit(server);
    server.on('request', (request, response) => void scripted.serve(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return scripted;
  }

  /** The adapter under test, pointed here. */
  livekit(env: Record<string, string> = {}): HttpLiveKit {
    const { port } = this.server.address() as AddressInfo;
    return new HttpLiveKit(
      aConfig({
        LIVEKIT_URL: `ws://127.0.0.1:${port}`,
        LIVEKIT_API_KEY: GOLDEN_KEYS.apiKey,
        LIVEKIT_API_SECRET: GOLDEN_KEYS.apiSecret,
        ...env,
      }),
    );
  }

  always(answer: ScriptedAnswer): void {
    this.behaviour = () => answer;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked: AskedRequest = {
      path: request.url ?? '',
      authorization: request.headers.authorization ?? '',
      limit: (request.headers['x-twirp-timeout-ms'] as string | undefined) ?? null,
      body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>,
    };
    this.asked.push(asked);
    const answer = this.behaviour(asked);
    if (answer === 'hang-up') request.socket.destroy();
    else if (answer !== 'silent') {
      response.writeHead(answer.status, { 'content-type': answer.content_type }).end(answer.response);
    }
  }
}

export function twirpAnswer(status: number, body: unknown): ScriptedAnswer {
  return { status, content_type: 'application/json', response: JSON.stringify(body) };
}

export function twirpRefusal(status: number, code: string, msg = 'no'): ScriptedAnswer {
  return twirpAnswer(status, { code, msg });
}

/** What a real server answered to this method with this status; `note` tells several of them apart. */
export function goldenAnswer(name: string, method: string, status: number, note = ''): ScriptedAnswer {
  const found = goldenCase(name).calls.find(
    (call) =>
      call.method.endsWith(`/${method}`) && call.status === status && JSON.stringify(call).includes(note),
  );
  if (!found) throw new Error(`${name} holds no ${method} with ${status} ${note}`);
  return found;
}

/** How a question failed: the message for clients, and with it all that a log could show. */
export async function failureOf(promise: Promise<unknown>): Promise<{ message: string; everything: string }> {
  const error: unknown = await promise.then(
    (value) => new Error(`it did not fail but gave ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isTallyError(error, 'LIVEKIT_UNAVAILABLE')) throw error;
  const { cause } = error;
  return {
    message: error.message,
    everything: [
      error.message,
      cause instanceof Error ? `${cause.message} ${JSON.stringify(cause)}` : cause,
    ].join(' '),
  };
}
