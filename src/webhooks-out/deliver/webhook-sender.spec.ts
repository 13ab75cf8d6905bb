import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { aConfig } from '../../../test/support/a-config.js';
import { SystemClock } from '../../kernel/clock.js';
import type { Delivery, DeliveryAttempt } from '../domain/delivery.js';
import type { WebhookEndpoint } from '../domain/endpoint.js';
import type { Lookup } from './address-guard.js';
import { WebhookSender } from './webhook-sender.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Every name is this machine. */
class Rebound extends WebhookSender {
  protected override get resolver(): Lookup {
    return (_hostname, _options, answer) => answer(null, [{ address: '127.0.0.1', family: 4 }]);
  }
}

describe('sending a webhook', () => {
  let server: Server;
  let came: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const senders: WebhookSender[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        came.push({ headers: request.headers, body });
        if (request.url === '/flood') {
          const flood = (): void => {
            while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
          };
          response.on('drain', flood).writeHead(200);
          flood();
        } else response.writeHead(200).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => (came = []));
  afterAll(async () => {
    for (const sender of senders) await sender.onApplicationShutdown();
    server.closeAllConnections();
    server.close();
  });

  const port = (): number => (server.address() as AddressInfo).port;
  const send = (
    Sender: typeof WebhookSender,
    url: string,
    env = {},
    sealedWith = env,
  ): Promise<DeliveryAttempt> => {
    const sender = new Sender(aConfig(env), new SystemClock());
    const sealer = new Sender(aConfig(sealedWith), new SystemClock());
    senders.push(sender, sealer);
    const endpoint = {
      url,
      secrets: [{ sealed: sealer.seal(SECRET), until: null }],
    } as unknown as WebhookEndpoint;
    return sender.send(endpoint, { id: 'whd_1', body: '{"a":"ü"}' } as Delivery);
  };

  it('reaches a receiver that can verify it with the public library', async () => {
    const attempt = await send(WebhookSender, `http://127.0.0.1:${port()}/a?b=c`, {
      WEBHOOK_ALLOW_PRIVATE: 'true',
    });
    expect(attempt).toMatchObject({ httpStatus: 200, error: null });
    const [{ headers, body } = { headers: {}, body: '' }] = came;
    expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toEqual({ a: 'ü' });
    expect(headers['webhook-id']).toBe('whd_1');
  });

  it('connects to nothing where a name that looked public resolves to this machine', async () => {
    const attempt = await send(Rebound, `http://rebind.example.com:${port()}/`);
    expect(attempt.httpStatus).toBeNull();
    expect(attempt.error).toContain('127.0.0.1');
    expect(came).toEqual([]);
    const allowed = await send(Rebound, `http://127.0.0.1:${port()}/`, { WEBHOOK_ALLOW_PRIVATE: 'true' });
    expect(allowed.httpStatus).toBe(200);
  });

  it('reads no answer without end', async () => {
    const attempt = await send(WebhookSender, `http://127.0.0.1:${port()}/flood`, {
      WEBHOOK_ALLOW_PRIVATE: 'true',
    });
    expect(attempt.httpStatus).toBe(200);
    expect(attempt.durationMs).toBeLessThan(5_000);
  });

  it('says what is wrong where nobody is there, or the secret can not be opened', async () => {
    const env = { WEBHOOK_ALLOW_PRIVATE: 'true' };
    expect(await send(WebhookSender, 'http://127.0.0.1:1/', env)).toMatchObject({
      httpStatus: null,
      error: expect.stringContaining('ECONNREFUSED') as string,
    });
    const other = { ...env, TALLYLIGHT_SECRET: 'another-secret-of-16' };
    expect((await send(WebhookSender, `http://127.0.0.1:${port()}/`, env, other)).error).toContain(
      'TALLYLIGHT_SECRET',
    );
    expect(came).toEqual([]);
  });
});
