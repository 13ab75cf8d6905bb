import { timingSafeEqual } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import type { Actor } from '../kernel/actor.js';
import { Clock } from '../kernel/clock.js';
import { KeptStore } from '../kept/kept.store.js';
import { API_KEYS, type ApiKeyDoc, type KeyVerdict, verdictOn } from './api-key.js';
import { ApiKeyUses } from './api-key-uses.js';
import { hashApiKey, isWellFormedApiKey } from './api-key-format.js';
import type { Identified } from './identified.js';
import { unauthenticated } from './unauthenticated.js';

/** Whom an API key stands for. An implementation keeps hashes, never keys. */
export abstract class ApiKeys {
  /** Null for what is no API key of ours; throws UNAUTHENTICATED for one that ended, REDIS_UNAVAILABLE where it could not be looked up. */
  abstract find(key: string): Promise<Identified | null>;
}

/** An answer is believed for so long; with the look at open connections every LOOK_AGAIN_MS an end is felt within a second. */
const BELIEVED_MS = 350;
const MOST_BELIEVED = 10_000;
/** The last use is right to the minute. */
const NOTED_EVERY_MS = 30_000;

const WORDS: Record<Exclude<KeyVerdict['kind'], 'valid'>, string> = {
  revoked: 'this API key was revoked',
  expired: 'this API key has expired; ask for a new one',
  rotated: 'this API key was rotated and its old secret has ended; use the new one',
};

interface Believed {
  readonly at: number;
  readonly key: Promise<ApiKeyDoc | null>;
}

/** The key of the environment, which needs no Redis, and those that were created. */
@Injectable()
export class KnownApiKeys extends ApiKeys {
  private readonly log = new Logger('Access');
  private readonly adminKeyHash: Buffer;
  private readonly believed = new Map<string, Believed>();
  private readonly noted = new Map<string, number>();

  constructor(
    config: Config,
    private readonly store: KeptStore,
    private readonly uses: ApiKeyUses,
    private readonly clock: Clock,
  ) {
    super();
    this.adminKeyHash = hashApiKey(config.adminKey);
  }

  async find(text: string): Promise<Identified | null> {
    const hash = hashApiKey(text);
    // Hashes have one length, so the comparison tells nothing about the key, not even its length.
    if (timingSafeEqual(hash, this.adminKeyHash))
      return { actor: FIRST_ADMIN, expiresAt: null, mayEnd: false };
    if (!isWellFormedApiKey(text)) return null;
    const handle = hash.toString('hex');
    const key = await this.lookUp(handle);
    if (key === null) return null;
    const verdict = verdictOn(key, handle, this.clock.now());
    if (verdict.kind !== 'valid') throw unauthenticated(WORDS[verdict.kind]);
    this.noteUse(key.id);
    return { actor: verdict.actor, expiresAt: verdict.expiresAt, mayEnd: true };
  }

  private lookUp(handle: string): Promise<ApiKeyDoc | null> {
    const now = this.clock.now();
    const known = this.believed.get(handle);
    if (known && now - known.at < BELIEVED_MS) return known.key;
    const key = this.store.find<ApiKeyDoc>(API_KEYS, handle).then((kept) => kept?.doc ?? null);
    this.believed.delete(handle);
    this.believed.set(handle, { at: now, key });
    forgetOldest(this.believed, MOST_BELIEVED);
    // A question that failed is no answer.
    key.catch(() => this.believed.delete(handle));
    return key;
  }

  /** Not waited for: a use that is not noted is no reason to refuse it. */
  private noteUse(id: string): void {
    const now = this.clock.now();
    if (now - (this.noted.get(id) ?? -Infinity) < NOTED_EVERY_MS) return;
    this.noted.delete(id);
    this.noted.set(id, now);
    forgetOldest(this.noted, MOST_BELIEVED);
    this.uses.note(id, now).catch((error: unknown) => {
      this.noted.delete(id);
      this.log.debug({ event: 'api_key_use_not_noted', message: 'use not noted', cause: String(error) });
    });
  }
}

const FIRST_ADMIN: Actor = {
  name: 'key:admin',
  callerId: 'key:admin',
  role: 'ADMIN',
  rooms: null,
  mayDelete: true,
};

function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
