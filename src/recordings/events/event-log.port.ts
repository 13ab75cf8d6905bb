import type { Recording, RecordingStatus } from '../domain/recording.js';
import type { EventMade } from '../domain/recording.machine.js';
import type { LogPosition } from '../store/log-position.js';

/** One change of one recording, as it stands in the log. */
export interface LoggedEvent {
  readonly position: LogPosition;
  readonly type: EventMade['type'];
  readonly at: number;
  readonly cause: string;
  readonly previousStatus: RecordingStatus | null;
  /** As the event left it. */
  readonly recording: Recording;
}

/** Every change of every recording, in one order for all instances. */
export abstract class EventLog {
  /** Where the log ends now. */
  abstract end(): Promise<LogPosition>;
  /** Throws CURSOR_EXPIRED where events after it were dropped, CURSOR_INVALID for a position that no log gave out. */
  abstract check(position: LogPosition): Promise<void>;
  /**
   * All that happened after the position, then what happens, with no gap and nothing twice, until the signal aborts.
   * Outlasts a Redis that is away; throws CURSOR_EXPIRED when it can't go on without a gap.
   */
  abstract follow(after: LogPosition, signal: AbortSignal): AsyncIterable<LoggedEvent>;
  /**
   * Calls the listener soon after something was written, by whichever instance, until the function it answers is called. No
   * call is promised while Redis is unavailable: who must not miss anything looks by itself as well.
   */
  abstract onWritten(listener: () => void): () => void;
}
