import { createHash, timingSafeEqual } from 'node:crypto';
import { WebhookEvent } from '@livekit/protocol';
import { Injectable } from '@nestjs/common';
import { type JWTPayload, jwtVerify } from 'jose';
import { Config } from '../config/config.js';
import { BOUNDS } from '../kernel/bounds.js';
import { Clock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import { AcceptedKeys } from './accepted-keys.js';
import { toLiveKitEvent } from './livekit.mapping.js';
import type { LiveKitEvent } from './livekit.types.js';
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
  ) {
    super();
    this.keys = new AcceptedKeys(config);
  }

  async verify(rawBody: Buffer, authorization: string | undefined): Promise<LiveKitEvent> {
    const signed = await this.signedHash(authorization);
    const actual = createHash('sha256').update(rawBody).digest();
    if (signed.length !== actual.length || !timingSafeEqual(signed, actual)) {
      throw unauthenticated('the signature of this webhook belongs to another body');
    }
    return toLiveKitEvent(parseEvent(rawBody), `sha256-${actual.toString('hex')}`);
  }

  private async signedHash(authorization: string | undefined): Promise<Buffer> {
    if (!authorization) throw unauthenticated('this webhook is not signed');
    if (authorization.length > BOUNDS.credential) {
      throw unauthenticated('the signature of this webhook is longer than any');
    }
    const payload = await this.verified(authorization).catch((cause: unknown) => {
      throw unauthenticated('the signature of this webhook is not ours or has expired', cause);
    });
    return Buffer.from(typeof payload.sha256 === 'string' ? payload.sha256 : '', 'base64');
  }

  private async verified(token: string): Promise<JWTPayload> {
    const { apiKey, secret } = this.keys.of(token);
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

function unauthenticated(message: string, cause?: unknown): TallyError {
  return new TallyError('UNAUTHENTICATED', `${message}; check LIVEKIT_API_KEY and LIVEKIT_API_SECRET`, {
    cause,
  });
}

function noEvent(cause?: unknown): TallyError {
  return new TallyError('BAD_USER_INPUT', 'the body is no LiveKit event', { cause });
}
