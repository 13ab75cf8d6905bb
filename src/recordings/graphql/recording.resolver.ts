import { Args, Context, Info, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { AuditLog } from '../../audit/audit-log.js';
import type { ConnectionView } from '../../kernel/connection.js';
import type { Actor } from '../../kernel/actor.js';
import { MediaLinks } from '../../media/media-links.js';
import { type RoomView, toRoomView } from '../../rooms/graphql/room.view.js';
import { FindRooms } from '../../rooms/use-cases/find-rooms.js';
import type { Coverage } from '../domain/coverage.js';
import { isFinal } from '../domain/recording.js';
import { DeleteRecording } from '../use-cases/delete-recording.js';
import { FindRecordings } from '../use-cases/find-recordings.js';
import { StartRecording } from '../use-cases/start-recording.js';
import { StopRecording } from '../use-cases/stop-recording.js';
import { isGiven } from './is-given.js';
import {
  type PageArguments,
  type RecordingsArguments,
  toHistoryPage,
  toRecordingQuery,
  toStartRequest,
} from './recording.input.js';
import {
  type RecordingConnectionView,
  type RecordingEventView,
  type RecordingView,
  toHistoryView,
  toRecordingConnectionView,
  toRecordingView,
} from './recording.view.js';

@Resolver('Recording')
export class RecordingResolver {
  constructor(
    private readonly find: FindRecordings,
    private readonly start: StartRecording,
    private readonly stop: StopRecording,
    private readonly remove: DeleteRecording,
    private readonly rooms: FindRooms,
    private readonly links: MediaLinks,
    private readonly audit: AuditLog,
  ) {}

  @Query('recording')
  async recording(@Args('id') id: string, @Context('actor') actor: Actor): Promise<RecordingView> {
    return toRecordingView(await this.find.one(id, actor));
  }

  @Query('recordings')
  async recordings(
    @Args() args: RecordingsArguments,
    @Context('actor') actor: Actor,
  ): Promise<RecordingConnectionView> {
    const { query, roomId } = toRecordingQuery(args);
    return toRecordingConnectionView(await this.find.page(query, roomId, actor), query);
  }

  @Mutation('startRecording')
  async startRecording(
    @Args('input') input: unknown,
    @Context('actor') actor: Actor,
  ): Promise<RecordingView> {
    return toRecordingView(await this.start.execute(toStartRequest(input), actor));
  }

  @Mutation('stopRecording')
  async stopRecording(@Args('id') id: string, @Context('actor') actor: Actor): Promise<RecordingView> {
    return toRecordingView(await this.stop.execute(id, actor));
  }

  @Mutation('deleteRecording')
  async deleteRecording(@Args('id') id: string, @Context('actor') actor: Actor): Promise<RecordingView> {
    const deleted = await this.remove.execute(id, actor);
    const detail = { roomId: deleted.roomId };
    await this.audit.add({ actor: actor.name, action: 'recording.deleted', subject: deleted.id, detail });
    return toRecordingView(deleted);
  }

  @ResolveField('room')
  async room(@Parent() recording: RecordingView): Promise<RoomView | null> {
    const room = await this.rooms.byId(recording.roomId);
    return room === null ? null : toRoomView(room);
  }

  @ResolveField('continues')
  continues(@Parent() recording: RecordingView): Promise<RecordingView | null> {
    return this.linked(recording.continuesId);
  }

  @ResolveField('continuedBy')
  continuedBy(@Parent() recording: RecordingView): Promise<RecordingView | null> {
    return this.linked(recording.continuedById);
  }

  @ResolveField('coverage')
  async coverage(@Parent() recording: RecordingView): Promise<Coverage | null> {
    return isFinal(recording.status) ? this.find.coverage(recording.id) : null;
  }

  @ResolveField('mediaPath')
  mediaPath(@Parent() recording: RecordingView): string | null {
    return recording.isPlayable ? this.links.path(recording.id) : null;
  }

  @ResolveField('livePath')
  livePath(@Parent() { id, status, crashProof }: RecordingView): string | null {
    return crashProof && !isFinal(status) ? this.links.livePath(id) : null;
  }

  @ResolveField('mediaUrl')
  mediaUrl(
    @Parent() recording: RecordingView,
    @Args('expiresInSeconds') expiresInSeconds: number | null,
    @Info() info: GraphQLResolveInfo,
  ): string | null {
    if (!recording.isPlayable) return null;
    const given = isGiven(info, 'expiresInSeconds') ? expiresInSeconds : null;
    return this.links.url(recording.id, given ?? this.links.lifeOf(recording.durationMs));
  }

  @ResolveField('history')
  async history(
    @Parent() recording: RecordingView,
    @Args() args: PageArguments,
  ): Promise<ConnectionView<RecordingEventView>> {
    const { first, after } = toHistoryPage(args);
    return toHistoryView(await this.find.history(recording.id, first, after));
  }

  private async linked(id: RecordingView['id'] | null): Promise<RecordingView | null> {
    const recording = id === null ? null : await this.find.stored(id);
    return recording === null ? null : toRecordingView(recording);
  }
}
