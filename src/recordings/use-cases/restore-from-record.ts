import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import { EventLog } from '../events/event-log.port.js';
import { readArchived } from '../store/archived-recording.js';
import { RecordingRestorer } from '../store/recording-restorer.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { RestoreGeneration } from '../store/restore-generation.js';
import { restoreStep } from '../store/restore-step.js';
import { parseMetadataKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';

/** Thrown where a record is there and is none. */
export class UnreadableRecord extends Error {}

/** A record of the bucket whose recording nobody knows any more becomes that recording again. */
@Injectable()
export class RestoreFromRecord {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly store: RecordingStore,
    private readonly restorer: RecordingRestorer,
    private readonly returns: RestoreGeneration,
    private readonly events: EventLog,
    private readonly clock: Clock,
  ) {}

  /** Restores any number of records, all with one number, so that a mass of them leaps no further than one does. */
  batch(cause: string): (key: string) => Promise<void> {
    let number: number | null = null;
    const numberOf = async (): Promise<number> => (number ??= await this.takeNumber());
    return (key) => this.restore(key, cause, numberOf);
  }

  /** Does nothing where the recording is known, was deleted, or its record is gone. Throws UnreadableRecord. */
  execute(key: string, cause: string): Promise<void> {
    return this.restore(key, cause, () => this.takeNumber());
  }

  private async restore(key: string, cause: string, numberOf: () => Promise<number>): Promise<void> {
    const id = parseMetadataKey(key)?.recordingId;
    // The row first: a deletion takes the record away before the row.
    if (id === undefined || (await this.store.get(id)) !== null || (await this.store.wasDeleted(id))) return;
    const body = await this.storage.get(key);
    if (body === null) return;
    const read = readArchived(key, body);
    if ('fault' in read) throw new UnreadableRecord(`${key} is no record of a recording: ${read.fault}`);
    const number = await numberOf();
    const { epoch } = await this.events.end();
    const terms = { number, epoch, at: this.clock.now(), cause };
    await this.restorer.restore([restoreStep(read.record, terms)], null);
  }

  private async takeNumber(): Promise<number> {
    const number = await this.returns.next();
    await this.returns.take(number);
    return number;
  }
}
