import { webcrypto } from 'node:crypto';
import { decodeJwt } from 'jose';
import type { Config, KeyPair } from '../config/config.js';

interface AcceptedKey {
  readonly apiKey: string;
  readonly secret: webcrypto.CryptoKey;
}

/** The key pairs whose signatures are accepted: the one we sign with, and those of a rotation. */
export class AcceptedKeys {
  private readonly pairs: readonly KeyPair[];
  /** Imported once: bytes would be imported for every token, which takes longer than the signature. */
  private readonly secrets = new Map<string, Promise<webcrypto.CryptoKey>>();

  constructor({ livekit }: Config) {
    this.pairs = [livekit, ...livekit.furtherKeys];
  }

  /** The pair that a token says it is signed with; the first one where it names none of them, which then refuses it. Throws jose's JWTInvalid. */
  async of(token: string): Promise<AcceptedKey> {
    const { iss } = decodeJwt(token);
    const pair = this.pairs.find(({ apiKey }) => apiKey === iss) ?? this.pairs[0];
    if (!pair) throw new Error('there is no key pair of LiveKit');
    const { apiKey, apiSecret } = pair;
    const imported = this.secrets.get(apiKey) ?? toCryptoKey(apiSecret);
    this.secrets.set(apiKey, imported);
    return { apiKey, secret: await imported };
  }
}

function toCryptoKey(secret: string): Promise<webcrypto.CryptoKey> {
  const bytes = new TextEncoder().encode(secret);
  return webcrypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}
