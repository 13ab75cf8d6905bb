import { createHash, timingSafeEqual } from 'node:crypto';
import { WebhookEvent } from '@livekit/protocol';
import { Injectable } from '@nestjs/common';
import { decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { Config } from '../config/config.js';
import { BOUNDS } from '../kernel/bounds.js';
import { Clock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import { AcceptedKeys } from './accepted-keys.js';
import { toLiveKitEvent } from './livekit.mapping.js';
import type { LiveKitEvent } from './livekit.types.js';
import { RefusedWebhooks, type WebhookRefusal } from './refused-webhooks.js';
import { WebhookVerifier } from './webhook.verifier.js';

/** How far LiveKit's clock may be off from ours; LiveKit grants our tokens as much. */
const CLOCK_TOLERANCE_S = 60;

/** LiveKit signs a JWT that holds the SHA-256 of the body's bytes; a body that was parsed and printed again has another one. */
@Injectable()
export class JwtWebhookVerifier extends WebhookVerifier {
  private readonly keys: AcceptedKeys;

  constructor(
    config: Config,
    private readonly clock: Clock,
    private readonly refused: RefusedWebhooks,
  ) {
    super();
    this.keys = new AcceptedKeys(config);
  }

  async verify(rawBody: Buffer, authorization: string | undefined): Promise<LiveKitEvent> {
    const signed = await this.signedHash(authorization);
    const actual = createHash('sha256').update(rawBody).digest();
    if (signed.length !== actual.length || !timingSafeEqual(signed, actual)) {
      throw this.refuse('other-body', 'its signature belongs to another body; does a proxy change it?');
    }
    return toLiveKitEvent(parseEvent(rawBody), `sha256-${actual.toString('hex')}`);
  }

  private async signedHash(authorization: string | undefined): Promise<Buffer> {
    if (!authorization) throw this.refuse('not-signed', 'it is not signed');
    if (authorization.length > BOUNDS.credential) {
      throw this.refuse('too-long', 'its signature is longer than any');
    }
    const payload = await this.verified(authorization).catch((cause: unknown) => {
      throw this.refuse(...this.reasonOf(cause, authorization), cause);
    });
    return Buffer.from(typeof payload.sha256 === 'string' ? payload.sha256 : '', 'base64');
  }

  private reasonOf(cause: unknown, token: string): [WebhookRefusal, string] {
    const { code, claim } = Object(cause) as { code?: unknown; claim?: unknown };
    if (code === 'ERR_JWT_EXPIRED' || (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && claim === 'nbf')) {
      return ['clock', `it was signed ${this.distanceOf(token)}; set the clocks of both machines right`];
    }
    return ['bad-signature', 'its signature is not ours; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET'];
  }

  /** How far LiveKit's clock is from ours, in words; of a token whose signature is right. */
  private distanceOf(token: string): string {
    const { nbf, iat, exp } = decodeJwt(token);
    const signedAt = (iat ?? nbf ?? exp ?? 0) * 1_000;
    const seconds = Math.round((signedAt - this.clock.now()) / 1_000);
    return seconds > 0 ? `${seconds} s ahead of our clock` : `${-seconds} s behind our clock`;
  }

  private refuse(reason: WebhookRefusal, why: string, cause?: unknown): TallyError {
    this.refused.note(reason, why);
    return new TallyError('UNAUTHENTICATED', `this webhook is refused: ${why}`, { cause });
  }

  private async verified(token: string): Promise<JWTPayload> {
    const { apiKey, secret } = await this.keys.of(token);
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      issuer: apiKey,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(this.clock.now()),
    });
    return payload;
  }
}

function parseEvent(rawBody: Buffer): WebhookEvent {
  const event = readEvent(rawBody);
  if (event.event === '') throw noEvent();
  return event;
}

function readEvent(rawBody: Buffer): WebhookEvent {
  try {
    return WebhookEvent.fromJsonString(rawBody.toString('utf8'), { ignoreUnknownFields: true });
  } catch (cause) {
    throw noEvent(cause);
  }
}

function noEvent(cause?: unknown): TallyError {
  return new TallyError('BAD_USER_INPUT', 'the body is no LiveKit event', { cause });
}
