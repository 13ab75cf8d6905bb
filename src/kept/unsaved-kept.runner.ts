import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { type Collection, KeptStore } from './kept.store.js';
import { KeptWriter } from './kept.writer.js';

/** A write that is still unsaved after so long waits for this runner, or has lost its writer. */
const ABANDONED_AFTER_MS = 4_000;
const LOOK_EVERY_MS = 3_000;
const AT_ONCE = 200;

/** Saves what a killed process, a storage that was away, or a write that had time left unsaved; within ten seconds. */
@Injectable()
export class UnsavedKeptRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Access');
  private readonly over = new AbortController();
  /** What was said to be unsaved; nothing stays when it is saved. */
  private told: ReadonlySet<string> = new Set();
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: KeptStore,
    private readonly writer: KeptWriter,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.looking = this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.looking;
  }

  /** Throws when the store can't be asked; what can't be saved is tried again at the next look. */
  async saveAbandoned(olderThanMs = ABANDONED_AFTER_MS): Promise<void> {
    const byDocument = new Map<string, { collection: Collection; id: string; writes: string[] }>();
    for (const { collection, id, name } of await this.store.unsaved(olderThanMs, AT_ONCE)) {
      const known = byDocument.get(`${collection} ${id}`) ?? { collection, id, writes: [] };
      known.writes.push(name);
      byDocument.set(`${collection} ${id}`, known);
    }
    const left = new Set<string>();
    for (const [document, { collection, id, writes }] of byDocument) {
      if (this.over.signal.aborted) return;
      try {
        await this.writer.save(collection, id, writes);
      } catch (error) {
        left.add(document);
        if (!this.told.has(document)) this.tell(collection, id, error);
      }
    }
    this.told = left;
  }

  /** Once for each document. */
  private tell(collection: Collection, id: string, error: unknown): void {
    this.log.warn({
      event: 'access_still_unsaved',
      message: 'a key, link or endpoint is not in the storage yet; it is tried again until it is',
      collection,
      id,
      cause: error instanceof Error ? error.message : String(error),
      err: error,
    });
  }

  private async look(): Promise<void> {
    while (await this.pause()) {
      try {
        await this.saveAbandoned();
      } catch (error) {
        this.log.debug({
          event: 'access_not_looked_at',
          message: 'not looked for unsaved writes',
          cause: String(error),
        });
      }
    }
  }

  private async pause(): Promise<boolean> {
    return this.clock.sleep(LOOK_EVERY_MS, this.over.signal).then(
      () => true,
      () => false,
    );
  }
}
