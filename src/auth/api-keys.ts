import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import type { Actor } from '../kernel/actor.js';

/** Whom an API key stands for. An implementation keeps hashes, never keys. */
export abstract class ApiKeys {
  /** Null for a key that is not known; throws when it could not be looked up. */
  abstract find(key: string): Promise<Actor | null>;
}

/** The first ADMIN key, from the configuration. */
@Injectable()
export class ConfiguredApiKeys extends ApiKeys {
  private readonly adminKeyHash: Buffer;

  constructor(config: Config) {
    super();
    this.adminKeyHash = hashApiKey(config.adminKey);
  }

  find(key: string): Promise<Actor | null> {
    // Hashes have one length, so the comparison tells nothing about the key, not even its length.
    return Promise.resolve(timingSafeEqual(hashApiKey(key), this.adminKeyHash) ? FIRST_ADMIN : null);
  }
}

const FIRST_ADMIN: Actor = {
  name: 'admin',
  callerId: 'key:admin',
  role: 'ADMIN',
  rooms: null,
  mayDelete: true,
};

/** A fast hash on purpose: keys are long and asked for with every request, unlike passwords. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

export function looksLikeApiKey(text: string): boolean {
  return text.startsWith('tl_');
}
