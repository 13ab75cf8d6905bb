import { Args, Context, Resolver, Subscription } from '@nestjs/graphql';
import type { Actor } from '../../kernel/actor.js';
import { FollowRecordings } from '../use-cases/follow-recordings.js';
import { type EventsArguments, toEventFilter } from './recording-events.input.js';
import { type RecordingEventView, toEventView } from './recording.view.js';

@Resolver()
export class RecordingEventsResolver {
  constructor(private readonly follow: FollowRecordings) {}

  @Subscription('recordingEvents')
  async recordingEvents(
    @Args() args: EventsArguments,
    @Context('actor') actor: Actor,
  ): Promise<AsyncIterable<{ recordingEvents: RecordingEventView }>> {
    const events = await this.follow.execute(toEventFilter(args), actor);
    return mapped(events, (event) => ({ recordingEvents: toEventView(event, event.recording) }));
  }
}

function mapped<A, B>(source: AsyncIterableIterator<A>, map: (item: A) => B): AsyncIterableIterator<B> {
  return {
    next: async () => {
      const { done, value } = await source.next();
      return done ? { done, value: undefined } : { done: false, value: map(value) };
    },
    return: async () => {
      await source.return?.();
      return { done: true, value: undefined };
    },
    throw: async (error: unknown) => {
      await source.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
