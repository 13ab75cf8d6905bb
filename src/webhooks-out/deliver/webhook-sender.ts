import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Webhook } from 'standardwebhooks';
import { Agent, type Dispatcher } from 'undici';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { Sealing } from '../../kernel/sealing.js';
import type { Delivery, DeliveryAttempt } from '../domain/delivery.js';
import { signingSecrets, type WebhookEndpoint } from '../domain/endpoint.js';
import { AddressRefused, assertOuterHost, guardedLookup, type Lookup } from './address-guard.js';

/** From the first look at the address to the last header. */
const LIMIT_MS = 5_000;
/** Read and thrown away, so that the connection can be used again; more ends it. */
const MOST_ANSWER_BYTES = 64 * 1024;
const LONGEST_WORDS = 300;
const PURPOSE = 'webhook secret';

/** Sends one message once, signed as Standard Webhooks say. */
@Injectable()
export class WebhookSender implements OnApplicationShutdown {
  private readonly agent: Agent;
  private readonly sealing: Sealing;

  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    this.sealing = new Sealing(config.secrets, PURPOSE);
    this.agent = new Agent({
      // As many as deliveries under way, which have a bound for each endpoint: those of one address don't wait for each other.
      connections: null,
      pipelining: 1,
      keepAliveTimeout: 4_000,
      headersTimeout: LIMIT_MS,
      bodyTimeout: LIMIT_MS,
      maxHeaderSize: 16 * 1024,
      connect: {
        timeout: LIMIT_MS,
        ...(!config.webhookAllowPrivate && { lookup: guardedLookup(this.resolver) }),
      },
    });
  }

  /** Who resolves names; Node's own unless a test answers. */
  protected get resolver(): Lookup | undefined {
    return undefined;
  }

  seal(secret: string): string {
    return this.sealing.seal(secret);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.destroy();
  }

  /** Never throws for the receiver's sake: what came of it is the answer. */
  async send(endpoint: WebhookEndpoint, { id, body }: Delivery): Promise<DeliveryAttempt> {
    const at = this.clock.now();
    const done = (httpStatus: number | null, error: string | null): DeliveryAttempt => ({
      at,
      httpStatus,
      durationMs: Math.max(0, this.clock.now() - at),
      error,
    });
    try {
      const status = await this.post(endpoint, id, body, at);
      return done(status, status >= 200 && status < 300 ? null : wordsOfStatus(status));
    } catch (error) {
      return done(null, wordsOf(error));
    }
  }

  private async post(endpoint: WebhookEndpoint, id: string, body: string, at: number): Promise<number> {
    const url = new URL(endpoint.url);
    // A host that is an address is never looked up, so it is looked at here.
    if (!this.config.webhookAllowPrivate) assertOuterHost(url.hostname);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Tallylight-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1_000)),
      'webhook-signature': this.signatures(endpoint, id, body, at).join(' '),
    };
    const over = new AbortController();
    const limit = this.limit(over);
    try {
      const answer = await this.agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers,
        body,
        signal: over.signal,
      });
      await drop(answer);
      return answer.statusCode;
    } finally {
      limit.abort();
    }
  }

  private limit(over: AbortController): AbortController {
    const answered = new AbortController();
    void this.clock.sleep(LIMIT_MS, answered.signal).then(
      () => over.abort(new Error(`no answer within ${LIMIT_MS / 1_000} s`)),
      () => undefined,
    );
    return answered;
  }

  private signatures(endpoint: WebhookEndpoint, id: string, body: string, at: number): string[] {
    return signingSecrets(endpoint, at).map((sealed) => {
      const secret = this.sealing.open(sealed);
      if (secret === null) {
        throw new Error(
          'its secret was sealed with another TALLYLIGHT_SECRET: set that one as well, or rotate the secret of this endpoint',
        );
      }
      return new Webhook(secret).sign(id, new Date(at), body);
    });
  }
}

/** The status has decided; what is said besides is not waited for any longer. */
async function drop({ body }: Dispatcher.ResponseData): Promise<void> {
  await body.dump({ limit: MOST_ANSWER_BYTES }).catch(() => body.destroy());
}

function wordsOfStatus(status: number): string {
  return status >= 300 && status < 400
    ? `answered ${status}; redirects are not followed, so name the address itself`
    : `answered ${status}`;
}

/** Of what kept it from being answered: no stack, and no more than a sentence. */
function wordsOf(error: unknown): string {
  const causes: string[] = [];
  for (let cause: unknown = error; cause instanceof Error || isErrorLike(cause); cause = cause.cause) {
    if (cause instanceof AddressRefused) return cause.message;
    causes.push(cause.message);
    if (causes.length > 3) break;
  }
  return (causes.find((text) => text !== '') ?? 'could not be reached').slice(0, LONGEST_WORDS);
}

function isErrorLike(value: unknown): value is Error {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}
