import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { isTallyError } from '../kernel/errors.js';
import { isFinal, RECORDING_STATUSES, type StoredRecording } from '../recordings/domain/recording.js';
import type { PageCursor, RecordingPage } from '../recordings/store/recording-query.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { mediaKey } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { Unexplained } from '../system/unexplained.js';
import { type Finding, Examination, fault, ok, unknown } from './finding.js';

/** The newest; all of them are looked at by the sweep STORAGE_RECONCILIATION. */
const MOST_LOOKED_AT = 500;
const PAGE = 100;
const AT_ONCE = 16;
const NAMED = 5;
const FINAL = RECORDING_STATUSES.filter(isFinal);

/** Whether LiveKit, Redis and the storage tell the same of recordings. */
@Injectable()
export class ExamineRecordings extends Examination {
  readonly area = 'recordings';

  constructor(
    private readonly store: RecordingStore,
    private readonly storage: ObjectStorage,
    private readonly unexplained: Unexplained,
  ) {
    super();
  }

  async examine(): Promise<Finding[]> {
    return [
      ...(await this.egresses().catch((error: unknown) => [couldNotLook('recordings.egresses', error)])),
      ...(await this.media().catch((error: unknown) => [couldNotLook('recordings.media', error)])),
    ];
  }

  private async egresses(): Promise<Finding[]> {
    const { egresses, recordings } = await this.unexplained.find();
    return [
      egresses.length === 0
        ? ok('recordings.orphaned_egresses', 'every egress of ours that runs belongs to a recording')
        : fault(
            'recordings.orphaned_egresses',
            `${egresses.length} egresses run that no recording explains: ${some(egresses.map(({ egressId, roomName }) => `${egressId} in ${JSON.stringify(roomName)}`))}`,
            'runSweep(name: LIVEKIT_RECONCILIATION) stops them; first look whether another deployment uses this bucket with the same DEPLOYMENT_ID',
          ),
      recordings.length === 0
        ? ok('recordings.without_egress', 'every recording in progress has its egress')
        : fault(
            'recordings.without_egress',
            `${recordings.length} recordings are in progress without an egress that LiveKit lists: ${some(recordings.map(({ id }) => id))}`,
            'runSweep(name: STALE_RECORDINGS) ends them by what is in the storage',
          ),
    ];
  }

  private async media(): Promise<Finding[]> {
    const looks = pLimit(AT_ONCE);
    const recordings = (await this.newest()).filter(({ hasMedia }) => hasMedia);
    const missing = (
      await Promise.all(
        recordings.map((recording) =>
          looks(async () => ((await this.storage.head(mediaKey(recording))) === null ? [recording.id] : [])),
        ),
      )
    ).flat();
    const name = 'recordings.media';
    if (missing.length === 0)
      return [ok(name, `the media of the newest ${recordings.length} is in the storage`)];
    return [
      fault(
        name,
        `${missing.length} of the newest ${recordings.length} recordings say that they have media, and it is not in the storage: ${some(missing)}`,
        'bring the objects back, or delete the recordings; runSweep(name: STORAGE_RECONCILIATION) tells all of them',
      ),
    ];
  }

  private async newest(): Promise<StoredRecording[]> {
    const found: StoredRecording[] = [];
    let after: PageCursor | null = null;
    do {
      const page: RecordingPage = await this.store.page({
        ...{ rooms: null, statuses: FINAL, labels: {}, first: PAGE, after },
        ...{ requestedAfter: null, requestedBefore: null, field: 'REQUESTED_AT', direction: 'DESC' },
      });
      found.push(...page.items.map(({ recording }) => recording));
      after = page.hasNextPage ? page.endCursor : null;
    } while (after !== null && found.length < MOST_LOOKED_AT);
    return found;
  }
}

function couldNotLook(name: string, error: unknown): Finding {
  return unknown(name, isTallyError(error) ? error.message : String(error));
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(', ');
  return names.length > NAMED ? `${shown} and ${names.length - NAMED} more` : shown;
}
