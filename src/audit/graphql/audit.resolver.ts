import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { requireRight } from '../../auth/rights.js';
import type { Actor } from '../../kernel/actor.js';
import { type ConnectionView, type PageArguments, toConnection, toFirst } from '../../kernel/connection.js';
import { decodeCursor, encodeCursor, invalidCursor } from '../../kernel/cursor.js';
import { type AuditEntry, AuditLog, isAuditEntryId } from '../audit-log.js';

@Resolver('AuditEntry')
export class AuditResolver {
  constructor(private readonly audit: AuditLog) {}

  @Query('auditLog')
  async auditLog(
    @Args() args: PageArguments,
    @Context('actor') actor: Actor,
  ): Promise<ConnectionView<AuditEntry>> {
    requireRight(actor, 'administer', 'every-room', 'read the audit log');
    const first = toFirst(args.first, 50);
    const after = args.after == null ? null : placeOf(args.after);
    const { entries, hasNextPage } = await this.audit.page(first, after);
    const edges = entries.map((node) => ({ cursor: encodeCursor('audit', [node.id]), node }));
    return toConnection(edges, { hasNextPage, hasPreviousPage: after !== null });
  }
}

function placeOf(cursor: string): string {
  const [id] = decodeCursor('audit', cursor);
  if (!isAuditEntryId(id)) throw invalidCursor();
  return id;
}
