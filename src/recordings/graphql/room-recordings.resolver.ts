import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Actor } from '../../kernel/actor.js';
import type { RoomView } from '../../rooms/graphql/room.view.js';
import { FindRecordings } from '../use-cases/find-recordings.js';
import { type RecordingsArguments, toRecordingQuery, toRoomIdOf } from './recording.input.js';
import {
  type RecordingConnectionView,
  type RecordingView,
  toRecordingConnectionView,
  toRecordingView,
} from './recording.view.js';

/** What a room shows of its recordings; rooms themselves know of none. */
@Resolver('Room')
export class RoomRecordingsResolver {
  constructor(private readonly find: FindRecordings) {}

  @ResolveField('activeRecording')
  async activeRecording(@Parent() room: RoomView): Promise<RecordingView | null> {
    const recording = await this.find.activeIn(toRoomIdOf(room.id));
    return recording === null ? null : toRecordingView(recording);
  }

  /** A filter by another room's id matches nothing here. */
  @ResolveField('recordings')
  async recordings(
    @Parent() room: RoomView,
    @Args() args: RecordingsArguments,
    @Context('actor') actor: Actor,
  ): Promise<RecordingConnectionView> {
    const { query, roomId } = toRecordingQuery(args);
    const own = toRoomIdOf(room.id);
    return toRecordingConnectionView(
      await this.find.page(query, roomId === undefined || roomId === own ? own : null, actor),
      query,
    );
  }
}
