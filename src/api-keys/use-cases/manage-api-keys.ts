import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.js';
import { API_KEYS, type ApiKeyDoc, handlesOf } from '../../auth/api-key.js';
import { hashApiKey, newApiKey, prefixOf } from '../../auth/api-key-format.js';
import { ApiKeyUses } from '../../auth/api-key-uses.js';
import { requireRight } from '../../auth/rights.js';
import { shown } from '../../kernel/shown.js';
import type { Actor, Role } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { badInput, TallyError } from '../../kernel/errors.js';
import { newApiKeyId, type RoomId } from '../../kernel/ids.js';
import { KeptStore } from '../../kept/kept.store.js';
import { KeptWriter } from '../../kept/kept.writer.js';

const MOST_KEYS = 5_000;
/** Secrets of one key that may overlap. */
const MOST_SECRETS = 10;

export interface NewApiKey {
  readonly name: string;
  readonly role: Role;
  readonly roomIds: readonly RoomId[] | null;
  readonly expiresAt: number | null;
}

export type ApiKeySeen = Omit<ApiKeyDoc, 'secrets'> & { readonly lastUsedAt: number | null };

/** The secret is nowhere but here. */
export interface ApiKeyMade {
  readonly apiKey: ApiKeySeen;
  readonly secret: string;
}

/** For an ADMIN of every room: whoever makes keys could make itself any. */
@Injectable()
export class ManageApiKeys {
  constructor(
    private readonly store: KeptStore,
    private readonly writer: KeptWriter,
    private readonly uses: ApiKeyUses,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Throws FORBIDDEN, BAD_USER_INPUT, STORAGE_UNAVAILABLE, and then there is no such key. */
  async create(wanted: NewApiKey, actor: Actor): Promise<ApiKeyMade> {
    requireRight(actor, 'administer', 'every-room', 'create API keys');
    const now = this.clock.now();
    if (wanted.expiresAt !== null && wanted.expiresAt <= now)
      throw badInput('input.expiresAt', 'must lie in the future');
    const secret = newApiKey();
    const key: ApiKeyDoc = {
      id: newApiKeyId(now),
      ...wanted,
      prefix: prefixOf(secret),
      createdAt: now,
      createdBy: actor.name,
      revokedAt: null,
      secrets: [{ hash: hashOf(secret), until: null }],
    };
    const { name, role, roomIds } = key;
    const detail = { name, role, ...(roomIds && { rooms: roomIds.slice(0, 20) }) };
    await this.writer.create(API_KEYS, key.id, changeOf(key), {
      most: MOST_KEYS,
      also: [this.audit.addition({ actor: actor.name, action: 'api_key.created', subject: key.id, detail })],
    });
    return { apiKey: seenOf(key, null), secret };
  }

  /** The secrets it had end after the overlap, or when they would have. Throws FORBIDDEN, API_KEY_NOT_FOUND, BAD_USER_INPUT, STORAGE_UNAVAILABLE. */
  async rotate(id: string, overlapMs: number, actor: Actor): Promise<ApiKeyMade> {
    requireRight(actor, 'administer', 'every-room', 'rotate API keys');
    const now = this.clock.now();
    const secret = newApiKey();
    const rotated = await this.writer.update<ApiKeyDoc>(
      API_KEYS,
      id,
      ({ doc }) => {
        if (doc.revokedAt !== null) throw badInput('id', `API key ${id} was revoked; create a new one`);
        const older = doc.secrets
          .map(({ hash, until }) => ({ hash, until: Math.min(until ?? Infinity, now + overlapMs) }))
          .filter(({ until }) => until > now)
          .slice(1 - MOST_SECRETS);
        const secrets = [...older, { hash: hashOf(secret), until: null }];
        return changeOf({ ...doc, prefix: prefixOf(secret), secrets });
      },
      { durable: 'now', also: () => [this.told(actor, 'api_key.rotated', id, { overlapMs })] },
    );
    if (rotated === null) throw apiKeyNotFound(id);
    return { apiKey: await this.seen(rotated.doc), secret };
  }

  /** In force at once, also while the storage is away. Throws FORBIDDEN, API_KEY_NOT_FOUND. */
  async revoke(id: string, actor: Actor): Promise<ApiKeySeen> {
    requireRight(actor, 'administer', 'every-room', 'revoke API keys');
    const revoked = await this.writer.update<ApiKeyDoc>(
      API_KEYS,
      id,
      ({ doc }) => (doc.revokedAt === null ? changeOf({ ...doc, revokedAt: this.clock.now() }) : null),
      { durable: 'soon', also: ({ name }) => [this.told(actor, 'api_key.revoked', id, { name })] },
    );
    if (revoked === null) throw apiKeyNotFound(id);
    return this.seen(revoked.doc);
  }

  /** Newest first, older than `after`. Throws FORBIDDEN, REDIS_UNAVAILABLE. */
  async page(
    first: number,
    after: string | null,
    actor: Actor,
  ): Promise<{
    readonly keys: readonly ApiKeySeen[];
    readonly hasNextPage: boolean;
    readonly totalCount: number;
  }> {
    requireRight(actor, 'administer', 'every-room', 'see API keys');
    const all = (await this.store.all<ApiKeyDoc>(API_KEYS)).toReversed();
    const rest = after === null ? all : all.filter(({ id }) => id < after);
    const page = rest.slice(0, first).map(({ doc }) => doc);
    const uses = await this.uses.read(page.map(({ id }) => id));
    return {
      keys: page.map((key, i) => seenOf(key, uses[i] ?? null)),
      hasNextPage: rest.length > first,
      totalCount: all.length,
    };
  }

  private async seen(key: ApiKeyDoc): Promise<ApiKeySeen> {
    const [lastUsedAt = null] = await this.uses.read([key.id]);
    return seenOf(key, lastUsedAt);
  }

  private told(
    actor: Actor,
    action: 'api_key.rotated' | 'api_key.revoked',
    subject: string,
    detail: Readonly<Record<string, unknown>>,
  ) {
    return this.audit.addition({ actor: actor.name, action, subject, detail });
  }
}

function hashOf(secret: string): string {
  return hashApiKey(secret).toString('hex');
}

function changeOf(key: ApiKeyDoc) {
  return { doc: key, handles: handlesOf(key) };
}

function seenOf({ secrets: _secrets, ...key }: ApiKeyDoc, lastUsedAt: number | null): ApiKeySeen {
  return { ...key, lastUsedAt };
}

function apiKeyNotFound(id: string): TallyError {
  return new TallyError('API_KEY_NOT_FOUND', `there is no API key ${shown(id)}`);
}
