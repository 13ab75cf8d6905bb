import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { badInput } from '../kernel/errors.js';

export const LONGEST_SECONDS = 86_400;
const TOKEN = /^([0-9a-z]{1,9})\.([A-Za-z0-9_-]{43})$/;

/**
 * Tokens that open the media of one recording until they expire: `<expiry in s, base 36>.<HMAC-SHA256>`.
 * The keys come from secrets that every instance has, so that each accepts what another gave out; the first one signs, every one is
 * accepted while one is changed for another.
 */
@Injectable()
export class MediaTokens {
  private readonly keys: readonly Uint8Array[];

  constructor(
    config: Config,
    private readonly clock: Clock,
  ) {
    this.keys = config.secrets.map(
      (secret) => new Uint8Array(hkdfSync('sha256', secret, '', 'tallylight media token 2', 32)),
    );
  }

  /** Throws BAD_USER_INPUT for a time that is not a whole number of 1 to 86400 seconds. */
  sign(id: string, expiresInSeconds: number): string {
    if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 1 || expiresInSeconds > LONGEST_SECONDS) {
      throw badInput('expiresInSeconds', `must be a whole number of seconds from 1 to ${LONGEST_SECONDS}`);
    }
    const expiry = (Math.floor(this.clock.now() / 1000) + expiresInSeconds).toString(36);
    const [first] = this.keys;
    if (!first) throw new Error('there is no secret to sign with');
    return `${expiry}.${signatureOf(first, id, expiry)}`;
  }

  /** The instant from which a token that opens this recording now is worth nothing; null: it opens nothing. */
  endOf(token: string, id: string): number | null {
    const [, expiry = '', signature = ''] = TOKEN.exec(token) ?? [];
    if (signature === '') return null;
    const given = Buffer.from(signature);
    const genuine = this.keys.some((key) =>
      timingSafeEqual(given, Buffer.from(signatureOf(key, id, expiry))),
    );
    const endsAt = Number.parseInt(expiry, 36) * 1000;
    return genuine && endsAt > this.clock.now() ? endsAt : null;
  }
}

function signatureOf(key: Uint8Array, id: string, expiry: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([id, expiry]))
    .digest('base64url');
}
