import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import { badInput } from '../../kernel/errors.js';
import { type RecordingView, toRecordingView } from '../../recordings/graphql/recording.view.js';
import { FindRecordings } from '../../recordings/use-cases/find-recordings.js';
import {
  type NewShareLink,
  type ShareLinkMade,
  type ShareLinkSeen,
  ShareRecording,
} from '../use-cases/share-recording.js';

const [SHORTEST_S, LONGEST_S, DEFAULT_S] = [60, 31_536_000, 604_800];
const MOST_VIEWS = 1_000_000;

const createInput = z.object({
  recordingId: z.string(),
  expiresInSeconds: z
    .int()
    .min(SHORTEST_S, `must be from ${SHORTEST_S} to ${LONGEST_S}`)
    .max(LONGEST_S, `must be from ${SHORTEST_S} to ${LONGEST_S}`)
    .nullish(),
  maxViews: z
    .int()
    .min(1, `must be from 1 to ${MOST_VIEWS}`)
    .max(MOST_VIEWS, `must be from 1 to ${MOST_VIEWS}`)
    .nullish(),
  allowDownload: z.boolean().nullish(),
});

@Resolver('ShareLink')
export class ShareLinkResolver {
  constructor(
    private readonly share: ShareRecording,
    private readonly recordings: FindRecordings,
  ) {}

  @Mutation('createShareLink')
  create(@Args('input') input: unknown, @Context('actor') actor: Actor): Promise<ShareLinkMade> {
    return this.share.create(toNewShareLink(input), actor);
  }

  @Mutation('revokeShareLink')
  revoke(@Args('id') id: string, @Context('actor') actor: Actor): Promise<ShareLinkSeen> {
    return this.share.revoke(id, actor);
  }

  /** Null once it was deleted. */
  @ResolveField('recording')
  async recording(@Parent() { recordingId }: ShareLinkSeen): Promise<RecordingView | null> {
    const recording = await this.recordings.stored(recordingId);
    return recording === null ? null : toRecordingView(recording);
  }
}

/** Throws BAD_USER_INPUT with the field at fault. */
function toNewShareLink(input: unknown): NewShareLink {
  const parsed = createInput.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badInput(['input', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is not valid');
  }
  const { recordingId, expiresInSeconds, maxViews, allowDownload } = parsed.data;
  return {
    recordingId,
    expiresInSeconds: expiresInSeconds ?? DEFAULT_S,
    maxViews: maxViews ?? null,
    allowDownload: allowDownload ?? false,
  };
}
