import { Injectable } from '@nestjs/common';
import type { Actor } from '../kernel/actor.js';
import { BOUNDS } from '../kernel/bounds.js';
import { digest } from '../kernel/digest.js';
import { isTallyError } from '../kernel/errors.js';
import { isWellFormedApiKey, looksLikeApiKey, prefixOf } from './api-key-format.js';
import { ApiKeys } from './api-keys.js';
import { readAuthorization } from './authorization.js';
import type { Identified } from './identified.js';
import { LiveKitTokens, looksLikeToken } from './livekit-token.js';
import { RateLimits } from './rate-limits.js';
import { SignInFailures } from './sign-in-failures.js';
import { unauthenticated } from './unauthenticated.js';

/** Turns the value of an `Authorization` header into the one who calls; HTTP and WebSocket alike. */
export abstract class Credentials {
  /**
   * Throws UNAUTHENTICATED, with a sentence for the caller, for no or a broken credential. `from`, an address: this is a request,
   * and counts as one; throws RATE_LIMITED.
   */
  abstract identify(authorization: string | undefined, from?: string): Promise<Identified>;

  /** As `identify`, for what is answered at once. */
  async authenticate(authorization: string | undefined, from?: string): Promise<Actor> {
    return (await this.identify(authorization, from)).actor;
  }

  /** For what is signed and is no `Authorization`: counts a request of its holder. Throws RATE_LIMITED. */
  abstract countHolder(of: string): Promise<void>;

  /** Counts one that was wrong. Throws RATE_LIMITED. */
  abstract countWrong(from: string): Promise<void>;
}

const MOST_KNOWN = 10_000;

/** An API key or a LiveKit access token, as a bearer. */
@Injectable()
export class BearerCredentials extends Credentials {
  /** Credentials that were right when they came last. */
  private readonly known = new Set<string>();

  constructor(
    private readonly keys: ApiKeys,
    private readonly tokens: LiveKitTokens,
    private readonly failures: SignInFailures,
    private readonly limits: RateLimits,
  ) {
    super();
  }

  async identify(authorization: string | undefined, from?: string): Promise<Identified> {
    if (from === undefined) return this.read(authorization);
    // Whoever is known passes also where somebody else behind the same proxy tries keys.
    const name = digest((authorization ?? '').slice(0, BOUNDS.credential));
    if (!this.known.has(name)) await this.limits.check('address', from);
    const identified = await this.read(authorization).catch(async (error: unknown) => {
      this.known.delete(name);
      if (isTallyError(error, 'UNAUTHENTICATED')) await this.countFailure(authorization, from);
      throw error;
    });
    this.remember(name);
    await this.limits.take('caller', identified.actor.callerId, 1);
    return identified;
  }

  async countHolder(of: string): Promise<void> {
    await this.limits.take('caller', of, 1);
  }

  async countWrong(from: string): Promise<void> {
    await this.limits.take('address', from, BOUNDS.wrongCredentialPoints);
  }

  private countFailure(authorization: string | undefined, from: string): Promise<void> {
    return authorization === undefined ? this.limits.take('address', from, 1) : this.countWrong(from);
  }

  private remember(name: string): void {
    this.known.delete(name);
    this.known.add(name);
    const [oldest] = this.known;
    if (this.known.size > MOST_KNOWN && oldest !== undefined) this.known.delete(oldest);
  }

  private async read(authorization: string | undefined): Promise<Identified> {
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
