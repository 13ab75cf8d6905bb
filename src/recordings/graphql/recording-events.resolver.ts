import { Args, Context, Resolver, Subscription } from '@nestjs/graphql';
import type { Actor } from '../../kernel/actor.js';
import type { LoggedEvent } from '../events/event-log.port.js';
import { FollowRecordings } from '../use-cases/follow-recordings.js';
import { type EventsArguments, toEventFilter } from './recording-events.input.js';
import { type RecordingEventView, toEventView } from './recording.view.js';

interface Shown {
  readonly recordingEvents: RecordingEventView;
}

@Resolver()
export class RecordingEventsResolver {
  private readonly views = new WeakMap<LoggedEvent, Shown>();

  constructor(private readonly follow: FollowRecordings) {}

  @Subscription('recordingEvents')
  async recordingEvents(
    @Args() args: EventsArguments,
    @Context('actor') actor: Actor,
  ): Promise<AsyncIterable<Shown>> {
    const events = await this.follow.execute(toEventFilter(args), actor);
    return mapped(events, (event) => this.shown(event));
  }

  /** The same object for all who follow, so that it is answered once for those who ask the same of it. */
  private shown(event: LoggedEvent): Shown {
    let shown = this.views.get(event);
    if (!shown) {
      shown = { recordingEvents: toEventView(event, event.recording) };
      this.views.set(event, shown);
    }
    return shown;
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
