import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { MEDIA_PREFIX } from '../storage/object-keys.js';
import { type ObjectInfo, ObjectStorage } from '../storage/object-storage.port.js';
import { RECORDING_STATUSES } from '../recordings/domain/recording.js';
import type { PageCursor } from '../recordings/store/recording-query.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { ObjectsSeen } from './objects-seen.js';
import { LookAtObjects } from './look-at-objects.js';
import { LookAtRows } from './look-at-rows.js';
import { Sweep, type SweepPass } from './sweep.js';

const PAGE = 200;
/** At least: LiveKit reports an ended egress, with media that may land, for one day. */
const DELETIONS_REMEMBERED_MS = 2 * 86_400_000;

/** The bucket against the rows, both ways: first every object has its recording, then every recording has its objects. */
@Injectable()
export class StorageReconciliationSweep extends Sweep {
  readonly name = 'STORAGE_RECONCILIATION';
  readonly everyMs: number;

  constructor(
    config: Config,
    private readonly storage: ObjectStorage,
    private readonly store: RecordingStore,
    private readonly objects: LookAtObjects,
    private readonly rows: LookAtRows,
    private readonly clock: Clock,
  ) {
    super();
    this.everyMs = config.sweepEveryMs.storageReconciliation;
  }

  async pass(pass: SweepPass): Promise<void> {
    const seen = new ObjectsSeen();
    const look = this.objects.looking(pass, seen);
    let page: ObjectInfo[] = [];
    for await (const object of this.storage.list(MEDIA_PREFIX)) {
      page.push(object);
      if (page.length < PAGE) continue;
      pass.signal.throwIfAborted();
      await look(page);
      page = [];
    }
    await look(page);
    await this.lookAtRows(pass, seen);
    if (!pass.dryRun && seen.leftovers === 0)
      await this.store.forgetDeleted(pass.startedAt - DELETIONS_REMEMBERED_MS);
  }

  private async lookAtRows(pass: SweepPass, seen: ObjectsSeen): Promise<void> {
    for (let after: PageCursor | null = null; ;) {
      pass.signal.throwIfAborted();
      const page = await this.store.page({
        ...{ rooms: null, statuses: RECORDING_STATUSES, labels: {}, first: PAGE, after },
        ...{ requestedAfter: null, requestedBefore: null, field: 'REQUESTED_AT', direction: 'ASC' },
      });
      pass.examined(page.items.length);
      const now = this.clock.now();
      for (const { recording } of page.items) await this.rows.look(pass, recording, seen, now);
      after = page.endCursor;
      if (!page.hasNextPage || after === null) return;
    }
  }
}
