import { decodeJwt } from 'jose';
import type { Config, KeyPair } from '../config/config.js';

/** The key pairs whose signatures are accepted: the one we sign with, and those of a rotation. */
export class AcceptedKeys {
  private readonly pairs: readonly { readonly apiKey: string; readonly secret: Uint8Array }[];

  constructor({ livekit }: Config) {
    const all: readonly KeyPair[] = [livekit, ...livekit.furtherKeys];
    this.pairs = all.map(({ apiKey, apiSecret }) => ({
      apiKey,
      secret: new TextEncoder().encode(apiSecret),
    }));
  }

  /** The pair that a token says it is signed with; the first one where it names none of them, which then refuses it. Throws jose's JWTInvalid. */
  of(token: string): { readonly apiKey: string; readonly secret: Uint8Array } {
    const { iss } = decodeJwt(token);
    const pair = this.pairs.find(({ apiKey }) => apiKey === iss) ?? this.pairs[0];
    if (!pair) throw new Error('there is no key pair of LiveKit');
    return pair;
  }
}
