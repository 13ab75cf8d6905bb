import { Injectable } from '@nestjs/common';
import type { Actor } from '../kernel/actor.js';
import { isWellFormedApiKey, looksLikeApiKey, prefixOf } from './api-key-format.js';
import { ApiKeys } from './api-keys.js';
import { readAuthorization } from './authorization.js';
import type { Identified } from './identified.js';
import { isTallyError } from '../kernel/errors.js';
import { LiveKitTokens, looksLikeToken } from './livekit-token.js';
import { SignInFailures } from './sign-in-failures.js';
import { unauthenticated } from './unauthenticated.js';

/** Turns the value of an `Authorization` header into the one who calls; HTTP and WebSocket alike. */
export abstract class Credentials {
  /** Throws UNAUTHENTICATED, with a sentence for the caller, for no or a broken credential. */
  abstract identify(authorization: string | undefined): Promise<Identified>;

  /** As `identify`, for what is answered at once. */
  async authenticate(authorization: string | undefined): Promise<Actor> {
    return (await this.identify(authorization)).actor;
  }
}

/** An API key or a LiveKit access token, as a bearer. */
@Injectable()
export class BearerCredentials extends Credentials {
  constructor(
    private readonly keys: ApiKeys,
    private readonly tokens: LiveKitTokens,
    private readonly failures: SignInFailures,
  ) {
    super();
  }

  async identify(authorization: string | undefined): Promise<Identified> {
    const given = authorization === undefined ? null : readAuthorization(authorization);
    if (authorization === undefined || authorization.trim() === '') {
      throw unauthenticated('no credential came with this request; send "Authorization: Bearer <API key>"');
    }
    if (given?.scheme !== 'bearer') {
      throw unauthenticated(
        'the Authorization header is not of the form "Bearer <API key or LiveKit token>"',
      );
    }
    const bearer = given.value;
    try {
      return await this.bearing(bearer);
    } catch (error) {
      if (isTallyError(error, 'UNAUTHENTICATED')) this.failures.tell(shownOf(bearer), error.message);
      throw error;
    }
  }

  private async bearing(bearer: string): Promise<Identified> {
    // Keys come first: the first ADMIN key is chosen by whoever installs this, and may look like anything.
    const known = await this.keys.find(bearer);
    if (known !== null) return known;
    if (looksLikeApiKey(bearer)) {
      throw unauthenticated(
        isWellFormedApiKey(bearer)
          ? 'this API key is not known here'
          : 'this API key is mistyped or not whole: its checksum does not fit',
      );
    }
    if (looksLikeToken(bearer)) return this.tokens.identify(bearer);
    throw unauthenticated('the bearer is neither a known API key nor a LiveKit access token');
  }
}

/** Enough to recognise it by, for who has it, and to nobody else of use. */
function shownOf(bearer: string): string {
  if (looksLikeApiKey(bearer)) return prefixOf(bearer);
  return looksLikeToken(bearer) ? 'a LiveKit token' : 'no credential of ours';
}
