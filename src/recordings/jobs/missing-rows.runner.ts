import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { LeaseKeeper } from '../../locks/lease-keeper.js';
import { METADATA_PREFIX, parseMetadataKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import { MissingRowsQueue } from '../store/missing-rows-queue.js';
import { RecordingRestorer } from '../store/recording-restorer.port.js';
import { RestoreFromRecord, UnreadableRecord } from '../use-cases/restore-from-record.js';

const LOOK_EVERY_MS = 1_000;
/** After a pass through the records, and after one that failed. */
const REST_MS = 5_000;
const LEASE_MS = 20_000;
const CAUSE = 'restore:missing-row';

/**
 * Restores recordings whose rows Redis has lost while indexes still name them, from their records in the bucket. A row alone knows
 * its room, so the records are listed, once for all that are missing, by one process at a time.
 */
@Injectable()
export class MissingRowsRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Recordings');
  private readonly over = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly missing: MissingRowsQueue,
    private readonly restore: RestoreFromRecord,
    private readonly restorer: RecordingRestorer,
    private readonly storage: ObjectStorage,
    private readonly leases: LeaseKeeper,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.watch();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.running;
  }

  private async watch(): Promise<void> {
    let wait = LOOK_EVERY_MS;
    while (await this.pause(wait)) {
      wait = LOOK_EVERY_MS;
      if (this.missing.pending().length === 0) continue;
      wait = REST_MS;
      try {
        await this.leases.withLease('missing-rows', LEASE_MS, (lost) =>
          this.restoreAll(AbortSignal.any([lost, this.over.signal])),
        );
      } catch (error) {
        this.log.warn({
          event: 'missing_rows_not_restored',
          message: 'recordings that Redis has lost are not restored yet; it is tried again',
          cause: String(error),
        });
      }
    }
  }

  private async restoreAll(over: AbortSignal): Promise<void> {
    const pending = this.missing.pending();
    // Another process may have been faster.
    const known = await this.restorer.known(pending);
    for (const id of known) this.missing.settle(id);
    const wanted = new Set(pending.filter((id) => !known.has(id)));
    if (wanted.size === 0) return;
    const restore = this.restore.batch(CAUSE);
    for await (const { key } of this.storage.list(METADATA_PREFIX)) {
      if (over.aborted) return;
      const id = parseMetadataKey(key)?.recordingId;
      if (id === undefined || !wanted.delete(id)) continue;
      await this.restoreOne(key, id, restore);
      if (wanted.size === 0) return;
    }
    for (const id of wanted) {
      this.missing.giveUp(id);
      this.log.warn({
        event: 'row_missing_for_good',
        message: 'a recording that Redis has lost has no record in the bucket either',
        recordingId: id,
      });
    }
  }

  private async restoreOne(
    key: string,
    id: RecordingId,
    restore: (key: string) => Promise<void>,
  ): Promise<void> {
    try {
      await restore(key);
      this.missing.settle(id);
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      this.log.warn({ event: 'record_unreadable', message: error.message, recordingId: id });
      this.missing.giveUp(id);
    }
  }

  private pause(ms: number): Promise<boolean> {
    return this.clock.sleep(ms, this.over.signal).then(
      () => true,
      () => false,
    );
  }
}
