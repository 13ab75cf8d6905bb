import {
  Args,
  Context,
  Mutation,
  Parent,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { AuditLog } from '../../audit/audit-log.js';
import type { Actor } from '../../kernel/actor.js';
import type { BulkDeletionFailure, BulkDeletionSeen } from '../domain/bulk-deletion.js';
import { FindBulkDeletions } from '../use-cases/find-bulk-deletions.js';
import { RequestBulkDeletion } from '../use-cases/request-bulk-deletion.js';
import { type SliceArguments, toSlice } from './bulk-deletion.input.js';
import { type BulkDeletionView, toBulkDeletionView } from './bulk-deletion.view.js';

interface DeleteRecordingsArguments {
  readonly ids: readonly string[];
  readonly roomId?: string | null;
  readonly dryRun?: boolean | null;
}

@Resolver('BulkDeletion')
export class BulkDeletionResolver {
  constructor(
    private readonly find: FindBulkDeletions,
    private readonly request: RequestBulkDeletion,
    private readonly audit: AuditLog,
  ) {}

  @Query('bulkDeletion')
  async bulkDeletion(
    @Args('id') id: string,
    @Context('actor') actor: Actor,
  ): Promise<BulkDeletionView | null> {
    const found = await this.find.one(id, actor);
    return found === null ? null : toBulkDeletionView(found);
  }

  @Mutation('deleteRecordings')
  async deleteRecordings(
    @Args() { ids, roomId, dryRun }: DeleteRecordingsArguments,
    @Context('actor') actor: Actor,
  ): Promise<BulkDeletionView> {
    const asked = { ids, roomId: roomId ?? null, dryRun: dryRun ?? false };
    return this.told(actor, await this.request.ofRecordings(asked, actor));
  }

  @Mutation('deleteRoomRecordings')
  async deleteRoomRecordings(
    @Args('roomId') roomId: string,
    @Args('dryRun') dryRun: boolean | null,
    @Context('actor') actor: Actor,
  ): Promise<BulkDeletionView> {
    return this.told(actor, await this.request.ofRoom(roomId, dryRun ?? false, actor));
  }

  @Subscription('bulkDeletionProgress', {
    resolve: (bulk: Parameters<typeof toBulkDeletionView>[0]) => toBulkDeletionView(bulk),
  })
  bulkDeletionProgress(
    @Args('id') id: string,
    @Context('actor') actor: Actor,
  ): ReturnType<FindBulkDeletions['follow']> {
    return this.find.follow(id, actor);
  }

  @ResolveField('deletedIds')
  deletedIds(@Parent() { id }: BulkDeletionView, @Args() args: SliceArguments): Promise<string[]> {
    const { first, offset } = toSlice(args);
    return this.find.deletedIds(id, first, offset);
  }

  @ResolveField('failures')
  failures(@Parent() { id }: BulkDeletionView, @Args() args: SliceArguments): Promise<BulkDeletionFailure[]> {
    const { first, offset } = toSlice(args);
    return this.find.failures(id, first, offset);
  }

  private async told(actor: Actor, bulk: BulkDeletionSeen): Promise<BulkDeletionView> {
    const { id: subject, roomId, total } = bulk;
    if (!bulk.dryRun) {
      const detail = { roomId, total };
      await this.audit.add({ actor: actor.name, action: 'recordings.deletion_requested', subject, detail });
    }
    return toBulkDeletionView(bulk);
  }
}
