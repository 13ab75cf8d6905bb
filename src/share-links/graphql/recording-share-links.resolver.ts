import { Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Actor } from '../../kernel/actor.js';
import type { RecordingView } from '../../recordings/graphql/recording.view.js';
import { type ShareLinkSeen, ShareRecording } from '../use-cases/share-recording.js';

@Resolver('Recording')
export class RecordingShareLinksResolver {
  constructor(private readonly share: ShareRecording) {}

  @ResolveField('shareLinks')
  shareLinks(
    @Parent() { id, roomId }: RecordingView,
    @Context('actor') actor: Actor,
  ): Promise<ShareLinkSeen[] | null> {
    return this.share.linksOf(id, roomId, actor);
  }
}
