import { Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { AtomicWrite } from '../kernel/atomic-write.js';
import { Clock } from '../kernel/clock.js';
import { keys } from '../redis/keys.js';
import { type RedisCommand, toAtomicWrite } from '../redis/redis-command.js';
import { RedisConnections } from '../redis/redis.connections.js';

/** What is worth telling; a word for ever. */
export type AuditAction =
  | 'api_key.created'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'share_link.created'
  | 'share_link.revoked'
  | 'webhook.created'
  | 'webhook.updated'
  | 'webhook.secret_rotated'
  | 'webhook.deleted'
  | 'webhook.disabled'
  | 'recording.deleted'
  | 'recordings.deletion_requested'
  | 'room.created'
  | 'room.updated'
  | 'room.deleted'
  | 'sweep.run'
  | 'sign_in.failed';

/** Who did what to what; `at` in ms. */
export interface AuditEntry {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditLine {
  readonly actor: string;
  readonly action: AuditAction;
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

const MOST_ENTRIES = 50_000;
const KEPT_MS = 365 * 86_400_000;
const TRIM_EVERY_MS = 3_600_000;
const ENTRY_ID = /^\d{1,16}-\d{1,16}$/;

/** The newest entries, for a year at most. It is in Redis alone: one that is lost takes it along. */
@Injectable()
export class AuditLog {
  private readonly log = new Logger('Audit');

  constructor(
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
  ) {}

  /** What `add` does, for the commit that does what it tells of. */
  addition(line: AuditLine): AtomicWrite {
    return toAtomicWrite(this.command(line));
  }

  /** For what is done already: an entry that can't be written stands in the log of the process. */
  async add(line: AuditLine): Promise<void> {
    const [command, key, ...rest] = this.command(line);
    try {
      await this.redis.command.call(command, key, ...rest);
    } catch (error) {
      this.log.error({
        event: 'audit_not_written',
        message: 'an audit entry could not be written',
        ...line,
        cause: String(error),
      });
    }
  }

  /** Newest first, older than `after`. Throws REDIS_UNAVAILABLE. */
  async page(
    first: number,
    after: string | null,
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly hasNextPage: boolean }> {
    const end = after === null ? '+' : `(${after}`;
    const found = await this.redis.run((redis) =>
      redis.xrevrange(keys.audit(), end, '-', 'COUNT', first + 1),
    );
    const entries = found.slice(0, first).map(([id, fields]) => ({
      ...(JSON.parse(fields[1] ?? '{}') as Omit<AuditEntry, 'id'>),
      id,
    }));
    return { entries, hasNextPage: found.length > first };
  }

  @Interval(TRIM_EVERY_MS)
  async trim(): Promise<void> {
    try {
      await this.redis.command.xtrim(keys.audit(), 'MINID', '~', `${this.clock.now() - KEPT_MS}-0`);
    } catch (error) {
      this.log.debug({
        event: 'audit_not_trimmed',
        message: 'the audit log was not trimmed',
        cause: String(error),
      });
    }
  }

  private command({ actor, action, subject, detail = {} }: AuditLine): RedisCommand {
    const entry = JSON.stringify({ at: this.clock.now(), actor, action, subject, detail });
    return ['XADD', keys.audit(), 'MAXLEN', '~', String(MOST_ENTRIES), '*', 'entry', entry];
  }
}

export function isAuditEntryId(text: unknown): text is string {
  return typeof text === 'string' && ENTRY_ID.test(text);
}
