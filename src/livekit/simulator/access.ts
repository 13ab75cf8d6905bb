import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../../kernel/clock.js';
import { TextRefusal, TwirpRefusal } from './twirp-refusal.js';
import type { Grant } from './twirp-methods.js';

/** What a request's token allows; `token` as it came. */
export interface Access {
  readonly token: string;
  readonly video: Readonly<Record<string, unknown>>;
}

const LEEWAY_SECONDS = 60;
const BEARER = 'Bearer ';

/** Checks tokens as livekit-server does, with its answers: plain text for a bad one, JSON for one that allows too little. */
export class AccessCheck {
  private readonly secret: Uint8Array;

  constructor(
    private readonly clock: Clock,
    private readonly apiKey: string,
    apiSecret: string,
  ) {
    this.secret = new TextEncoder().encode(apiSecret);
  }

  /** No header at all is no error yet: it allows nothing. */
  async read(authorization: string | undefined): Promise<Access> {
    if (authorization === undefined) return { token: '', video: {} };
    if (!authorization.startsWith(BEARER)) {
      throw new TextRefusal(`invalid authorization header. Must start with ${BEARER}`);
    }
    const token = authorization.slice(BEARER.length);
    const issuer = issuerOf(token);
    if (issuer !== this.apiKey) throw new TextRefusal(`invalid API key: ${issuer}`);
    const { video } = await this.verify(token);
    return { token, video: isRecord(video) ? video : {} };
  }

  /** Throws 401 unless the access allows it; `room` where the grant is for one room alone. */
  require({ video }: Access, grant: Grant, room: string | null): void {
    const isAllowed = video[grant] === true && (grant !== 'roomAdmin' || video['room'] === room);
    if (!isAllowed) throw new TwirpRefusal('unauthenticated', 'permissions denied');
  }

  private async verify(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.secret, {
        algorithms: ['HS256'],
        issuer: this.apiKey,
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(this.clock.now()),
        requiredClaims: ['exp'],
      });
      return payload;
    } catch (cause) {
      throw new TextRefusal(`invalid token: ${token}, error: ${wordsOf(cause)}`, { cause });
    }
  }
}

function issuerOf(token: string): string {
  try {
    decodeProtectedHeader(token);
    return decodeJwt(token).iss ?? '';
  } catch (cause) {
    throw new TextRefusal('invalid authorization token', { cause });
  }
}

function wordsOf(cause: unknown): string {
  if (cause instanceof errors.JWTExpired)
    return 'go-jose/go-jose/jwt: validation failed, token is expired (exp)';
  return 'go-jose/go-jose: error in cryptographic primitive';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
