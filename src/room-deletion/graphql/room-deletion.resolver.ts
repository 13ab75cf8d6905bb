import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { AuditLog } from '../../audit/audit-log.js';
import {
  type BulkDeletionView,
  toBulkDeletionView,
} from '../../bulk-deletions/graphql/bulk-deletion.view.js';
import type { Actor } from '../../kernel/actor.js';
import { type RoomView, toRoomView } from '../../rooms/graphql/room.view.js';
import { DeleteRoom, type RecordingsPolicy } from '../delete-room.js';

type DeletedRoomView = RoomView & { readonly deletion?: BulkDeletionView | null };

@Resolver('Room')
export class RoomDeletionResolver {
  constructor(
    private readonly remove: DeleteRoom,
    private readonly audit: AuditLog,
  ) {}

  @Mutation('deleteRoom')
  async deleteRoom(
    @Args('id') id: string,
    @Args('recordings') recordings: RecordingsPolicy | null,
    @Context('actor') actor: Actor,
  ): Promise<DeletedRoomView> {
    const { room, deletion } = await this.remove.execute(id, recordings ?? 'FAIL', actor);
    const detail = { recordings: recordings ?? 'FAIL', ...(deletion && { deletion: deletion.id }) };
    await this.audit.add({ actor: actor.name, action: 'room.deleted', subject: room.id, detail });
    return { ...toRoomView(room), deletion: deletion && toBulkDeletionView(deletion) };
  }

  /** Of any other room than the one that was just deleted: null. */
  @ResolveField('deletion')
  deletion(@Parent() room: DeletedRoomView): BulkDeletionView | null {
    return room.deletion ?? null;
  }
}
