import { join } from 'node:path';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { emitTelemetry } from '../../kernel/telemetry.js';
import { invalidCursor } from '../../kernel/cursor.js';
import { isTallyError, TallyError } from '../../kernel/errors.js';
import { EVENTS_CHANNEL, keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import { type RedisClient, RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import type { LogPosition } from '../store/log-position.js';
import { EventLog, type LoggedEvent } from './event-log.port.js';
import { compareStreamIds, isStreamId } from './stream-id.js';

const trimScript = new Script(join(__dirname, 'trim-events.lua'));
const endScript = new Script(join(__dirname, 'end-of-events.lua'));
const BATCH = 500;
/** Who follows holds at most so many events that it has not taken yet, however slow it is. */
const HELD = 100;
/** How many of the latest events each process keeps, so that its listeners don't each read them from Redis. */
const KEPT = 2_000;
/** After so many full reads in a row the rest is jumped over. */
const MOST_READS = KEPT / BATCH;
const RETRY_MS = 1_000;

/** The log on a Redis stream; `graphql-redis-subscriptions` only wakes who listens, what is said stands in the stream. */
@Injectable()
export class RedisEventLog extends EventLog implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('EventLog');
  private readonly wakeUps: RedisPubSub;
  private readonly subscriber: RedisClient;
  private recent: { epoch: string; from: string; events: LoggedEvent[] } | null = null;
  private reading: Promise<void> | null = null;
  /** The last read was full: there is more. */
  private behind = false;
  /** Something may have happened since the last read. */
  private stale = true;
  /** Of those that brought something, or another epoch. */
  private reads = 0;
  /** In a row, of as much as one takes. */
  private fullReads = 0;
  private waiting = new Set<() => void>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly connections: RedisConnections,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {
    super();
    const subscriber = connections.forQueues('events');
    this.subscriber = subscriber;
    this.wakeUps = new RedisPubSub({ publisher: connections.command, subscriber });
  }

  async onApplicationBootstrap(): Promise<void> {
    // Subscribing waits for a Redis that is away, and the boot does not wait for it.
    this.wakeUps
      .subscribe(EVENTS_CHANNEL, () => {
        this.wake();
        for (const listener of this.listeners) listener();
      })
      .catch((error: Error) => {
        this.log.warn({ message: 'wake-ups are off, the log is read every second', cause: error.message });
      });
  }

  async onApplicationShutdown(): Promise<void> {
    this.wakeAll();
    // It would wait for a Redis that is away to say goodbye to; the connection is closed with the others.
    if (this.subscriber.status !== 'ready') return;
    await this.wakeUps
      .close()
      .catch((error: Error) => this.log.debug({ message: 'closing wake-ups', cause: error.message }));
  }

  async end(): Promise<LogPosition> {
    const [epoch, id] = (await endScript.run(
      this.connections.command,
      [keys.epoch(), keys.events(), keys.eventsFloor()],
      [],
    )) as [unknown, string];
    if (typeof epoch !== 'string') throw redisWasReset();
    return { epoch, id };
  }

  async check(position: LogPosition): Promise<void> {
    if (!isStreamId(position.id)) throw invalidCursor();
    const [epoch, floor] = await this.connections.readWhole((all) => all.get(keys.eventsFloor()));
    if (position.epoch !== epoch) throw expired();
    if (typeof floor === 'string' && compareStreamIds(position.id, floor) < 0) throw expired();
  }

  /** No generator: thousands follow, and a generator's own promises would cost more than the event. */
  follow(after: LogPosition, signal: AbortSignal): AsyncIterableIterator<LoggedEvent> {
    let wake = (): void => undefined;
    signal.addEventListener('abort', () => wake(), { once: true });
    const news = (): Promise<void> =>
      new Promise((resolve) => {
        wake = (): void => {
          this.waiting.delete(wake);
          resolve();
        };
        this.waiting.add(wake);
      });
    let isChecked = false;
    let position = after;
    let read: readonly LoggedEvent[] = [];
    let told = 0;
    const iterator: AsyncIterableIterator<LoggedEvent> = {
      next: async () => {
        if (!isChecked) await this.check(after);
        isChecked = true;
        while (!signal.aborted) {
          const event = read[told];
          if (event !== undefined) {
            told += 1;
            position = event.position;
            return { done: false, value: event };
          }
          const { reads } = this;
          read = await this.readAfter(position, signal);
          told = 0;
          // What was read meanwhile is not waited for.
          if (read.length === 0 && reads === this.reads && !signal.aborted) await news();
        }
        return { done: true, value: undefined };
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  onWritten(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** A message of Redis' publish is lost while the connection is: whoever waits looks all the same. */
  @Interval(1_000)
  wake(): void {
    this.stale = true;
    if (this.waiting.size > 0) void this.readForAll();
  }

  /** One read for all who wait: they are woken where it brought something, or where each has to see for itself. */
  private async readForAll(): Promise<void> {
    const { reads } = this;
    try {
      await this.catchUp();
    } catch (error) {
      // They wait it out, and those who ask are told.
      this.log.debug({ message: 'the event log could not be read, it is read again', cause: String(error) });
      return;
    }
    if (reads !== this.reads || this.recent === null) this.wakeAll();
  }

  private wakeAll(): void {
    const { waiting } = this;
    this.waiting = new Set();
    for (const resolve of waiting) resolve();
  }

  @Interval(60_000)
  async trim(): Promise<void> {
    const oldest = `${this.clock.now() - this.config.eventLogRetentionMs}-0`;
    try {
      await trimScript.run(
        this.connections.command,
        [keys.events(), keys.eventsFloor(), keys.epoch(), keys.webhookPlaces(), keys.kept('endpoints')],
        [oldest],
      );
    } catch (error) {
      this.log.warn({ message: 'the event log was not trimmed, it is tried again', cause: String(error) });
    }
  }

  /** Waits out a Redis that is away: a listener that was promised no gap is not sent off for it. */
  private async readAfter(position: LogPosition, signal: AbortSignal): Promise<readonly LoggedEvent[]> {
    for (;;) {
      try {
        return (await this.fromRecent(position)) ?? (await this.fromStream(position));
      } catch (error) {
        if (!isTallyError(error, 'REDIS_UNAVAILABLE')) throw error;
        if (signal.aborted) return [];
        await this.clock.sleep(RETRY_MS);
      }
    }
  }

  /** Null: older than what is kept. */
  private async fromRecent(position: LogPosition): Promise<readonly LoggedEvent[] | null> {
    if (this.stale || this.recent === null) await this.catchUp();
    const { recent } = this;
    if (recent === null || recent.epoch !== position.epoch || compareStreamIds(position.id, recent.from) < 0)
      return null;
    const { events } = recent;
    let low = 0;
    for (let high = events.length; low < high;) {
      const middle = (low + high) >> 1;
      const there = events[middle]?.position.id;
      if (there !== undefined && compareStreamIds(there, position.id) <= 0) low = middle + 1;
      else high = middle;
    }
    return events.slice(low, low + HELD);
  }

  /** Reads what was told of since the last read; whoever comes meanwhile waits for the same one, and for one more where it was too early. */
  private async catchUp(): Promise<void> {
    // The first may have begun before what this one comes for.
    for (let reads = 0; reads === 0 || this.behind || (reads === 1 && this.stale); reads++) {
      this.reading ??= this.readRecent().finally(() => (this.reading = null));
      await this.reading;
    }
  }

  private async readRecent(): Promise<void> {
    // Before the read: what happens during it makes one more.
    this.stale = false;
    try {
      await this.readOn();
    } catch (error) {
      this.stale = true;
      throw error;
    }
  }

  private async readOn(): Promise<void> {
    if (this.fullReads >= MOST_READS) {
      // Nobody listened for long: those who are further back read the stream themselves.
      this.recent = null;
      this.fullReads = 0;
    }
    const from = this.recent?.events.at(-1)?.position.id ?? this.recent?.from ?? (await this.end()).id;
    const { epoch, events } = await this.range(from, BATCH);
    this.behind = events.length === BATCH;
    this.fullReads = this.behind ? this.fullReads + 1 : 0;
    for (const { position } of events) {
      emitTelemetry('event-read', {
        lagSeconds: (this.clock.now() - Number.parseInt(position.id, 10)) / 1_000,
      });
    }
    const same = this.recent?.epoch === epoch;
    if (events.length > 0 || !same) this.reads += 1;
    const kept = same ? [...this.recent!.events, ...events] : events;
    const dropped = Math.max(0, kept.length - KEPT);
    const start = same ? this.recent!.from : from;
    this.recent = {
      epoch,
      from: kept[dropped - 1]?.position.id ?? start,
      events: kept.slice(dropped),
    };
  }

  private async fromStream(position: LogPosition): Promise<readonly LoggedEvent[]> {
    await this.check(position);
    return (await this.range(position.id, HELD)).events;
  }

  private async range(after: string, most: number): Promise<{ epoch: string; events: LoggedEvent[] }> {
    const [epoch, entries] = await this.connections.readWhole((all) =>
      all.xrange(keys.events(), `(${after}`, '+', 'COUNT', most),
    );
    const events = (entries as [string, string[]][]).map(([id, fields]) => ({
      ...(JSON.parse(fields[1] ?? '') as Omit<LoggedEvent, 'position'>),
      position: { epoch, id },
    }));
    return { epoch, events };
  }
}

function expired(): TallyError {
  return new TallyError(
    'CURSOR_EXPIRED',
    'the event log no longer reaches back to this cursor; read the list again and go on from its eventCursor',
  );
}
