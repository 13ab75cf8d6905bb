import { isTallyError, TallyError } from '../../../src/kernel/errors.js';
import { EventLog, type LoggedEvent } from '../../../src/recordings/events/event-log.port.js';
import { compareStreamIds } from '../../../src/recordings/events/stream-id.js';
import type { LogPosition } from '../../../src/recordings/store/log-position.js';
import type { Incarnation } from './incarnation.js';
import { positionOf, type RecordingTables } from './sim-recording-store.js';

const LOOK_EVERY_MS = 1_000;

/** The event log as one instance follows it: woken by what is committed, and every second all the same. */
export class SimEventLog extends EventLog {
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly tables: RecordingTables,
    private readonly of: Incarnation,
  ) {
    super();
    tables.committed.push(() => this.wake());
  }

  end(): Promise<LogPosition> {
    return this.command('end of the log', () => positionOf(this.tables));
  }

  check(position: LogPosition): Promise<void> {
    return this.command('check of a position', () => {
      if (position.epoch !== this.tables.epoch) throw new TallyError('CURSOR_EXPIRED', 'another log');
    });
  }

  onWritten(listener: () => void): () => void {
    this.tables.committed.push(listener);
    return () => void this.tables.committed.splice(this.tables.committed.indexOf(listener), 1);
  }

  async *follow(after: LogPosition, signal: AbortSignal): AsyncIterable<LoggedEvent> {
    await this.check(after);
    let position = after;
    while (!signal.aborted) {
      const woken = this.nextWakeUp(signal);
      const events = await this.readAfter(position);
      for (const event of events) {
        if (signal.aborted) return;
        yield event;
        position = event.position;
      }
      if (events.length === 0) await woken;
    }
  }

  private async readAfter(position: LogPosition): Promise<LoggedEvent[]> {
    try {
      return await this.command('events', () => {
        if (position.epoch !== this.tables.epoch) throw new TallyError('CURSOR_EXPIRED', 'another log');
        return [...this.tables.events.values()].filter(
          (event) => compareStreamIds(event.position.id, position.id) > 0,
        );
      });
    } catch (error) {
      if (!isTallyError(error, 'REDIS_UNAVAILABLE')) throw error;
      return [];
    }
  }

  private nextWakeUp(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        over.abort();
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
      this.of.clock.sleep(LOOK_EVERY_MS, over.signal).then(done, () => undefined);
    });
  }

  private wake(): void {
    for (const done of [...this.waiting]) done();
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.tables.redis.command(op));
  }
}
