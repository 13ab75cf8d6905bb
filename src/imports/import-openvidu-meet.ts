import { Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import type { RoomId } from '../kernel/ids.js';
import { MetadataArchive } from '../recordings/store/metadata-archive.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { RestoreFromRecord } from '../recordings/use-cases/restore-from-record.js';
import { newRoom } from '../rooms/domain/room.js';
import { RoomStore } from '../rooms/store/room.store.js';
import { RoomSaver } from '../rooms/write/room-saver.js';
import { mediaKey, metadataKey } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { MEET_RECORDS, type MeetRecording, readMeetRecord, toArchived } from './meet-record.js';

/** A record has some 500 bytes. */
const LONGEST_RECORD = 64 * 1024;
/** Files that are copied at once: each has two parts of its own in memory. */
const AT_ONCE = 4;
/** Objects that are told one by one; of more only the number is told. */
const MOST_TOLD = 1_000;
const CAUSE = 'import:openvidu-meet';

export type ImportOutcome =
  | 'imported'
  /** It is a recording here already, from a run before. */
  | 'already'
  /** Its file is not in the bucket: imported without one. */
  | 'without-media'
  | 'in-progress'
  | 'unreadable'
  | 'failed';

export interface ImportReport {
  readonly dryRun: boolean;
  readonly counts: Readonly<Record<ImportOutcome, number>>;
  readonly rooms: number;
  /** Of media, in bytes: copied, or to be copied. */
  readonly bytes: number;
  /** What a person should look at. */
  readonly told: readonly { readonly key: string; readonly outcome: ImportOutcome; readonly why: string }[];
}

/** The bucket that is imported from. */
export class ImportSource {
  constructor(readonly storage: ObjectStorage) {}
}

interface Run {
  readonly source: ObjectStorage;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly restore: (key: string) => Promise<void>;
  readonly rooms: Map<RoomId, Promise<void>>;
  readonly tell: (key: string, outcome: ImportOutcome, why?: string) => void;
  readonly copied: (bytes: number) => void;
}

/**
 * Makes the recordings in a bucket of OpenVidu Meet 3.4 recordings of this deployment. The source is only read. What a run
 * has done a further run finds done: a recording is imported when its media and its record are in our storage, in this order,
 * so that it may be stopped at any time and started again.
 */
@Injectable()
export class ImportOpenViduMeet {
  constructor(
    private readonly from: ImportSource,
    private readonly storage: ObjectStorage,
    private readonly store: RecordingStore,
    private readonly archive: MetadataArchive,
    private readonly fromRecord: RestoreFromRecord,
    private readonly roomStore: RoomStore,
    private readonly saver: RoomSaver,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Throws STORAGE_UNAVAILABLE where the source can't be listed; what fails for one recording is in the report. */
  async execute(dryRun: boolean, signal: AbortSignal): Promise<ImportReport> {
    const source = this.from.storage;
    const counts: Record<ImportOutcome, number> = {
      ...{ imported: 0, already: 0, 'without-media': 0, 'in-progress': 0, unreadable: 0, failed: 0 },
    };
    const told: { key: string; outcome: ImportOutcome; why: string }[] = [];
    let bytes = 0;
    const run: Run = {
      ...{ source, dryRun, signal },
      restore: this.fromRecord.batch(CAUSE),
      rooms: new Map(),
      tell: (key, outcome, why) => {
        counts[outcome] += 1;
        if (why !== undefined && told.length < MOST_TOLD) told.push({ key, outcome, why });
      },
      copied: (more) => (bytes += more),
    };
    const limit = pLimit(AT_ONCE);
    const waiting = new Set<Promise<void>>();
    for await (const { key, sizeBytes } of source.list(MEET_RECORDS)) {
      if (signal.aborted) break;
      const one = limit(() => this.importOne(run, key, sizeBytes)).finally(() => waiting.delete(one));
      waiting.add(one);
      if (waiting.size >= 2 * AT_ONCE) await Promise.race(waiting);
    }
    await Promise.all(waiting);
    return { dryRun, counts, rooms: run.rooms.size, bytes, told };
  }

  private async importOne(run: Run, key: string, sizeBytes: number): Promise<void> {
    if (run.signal.aborted) return;
    try {
      if (sizeBytes > LONGEST_RECORD) return run.tell(key, 'unreadable', `it has ${sizeBytes} bytes`);
      const body = await run.source.get(key);
      if (body === null) return;
      const read = readMeetRecord(key, body);
      if ('skipped' in read) return run.tell(key, read.skipped, read.why);
      await this.bring(run, key, read.recording);
    } catch (error) {
      run.tell(key, 'failed', isTallyError(error) ? error.message : String(error));
    }
  }

  private async bring(run: Run, key: string, meet: MeetRecording): Promise<void> {
    const ours = metadataKey(meet);
    const isThere = (await this.storage.head(ours)) !== null;
    if (isThere && (await this.store.get(meet.id)) !== null) return run.tell(key, 'already');
    const sizeBytes = await this.bringMedia(run, meet);
    if (!run.dryRun) {
      await this.bringRoom(run, meet);
      const record = toArchived(meet, sizeBytes, this.config.recordingMaxDurationMs);
      // Also where an earlier run wrote one and got no further: it says the same.
      await this.storage.put(ours, Buffer.from(JSON.stringify(record)), 'application/json');
      await run.restore(ours);
      await this.archive.write(meet.id);
    } else run.rooms.set(meet.roomId, Promise.resolve());
    if (sizeBytes === null) run.tell(key, 'without-media', `${meet.mediaKey} is not there`);
    else run.tell(key, 'imported');
  }

  /** Its size; null: there is none. */
  private async bringMedia(run: Run, meet: MeetRecording): Promise<number | null> {
    const info = await run.source.head(meet.mediaKey);
    if (info === null) return null;
    const target = mediaKey({ ...meet, audioOnly: false, crashProof: false });
    const there = await this.storage.head(target);
    if (there?.sizeBytes === info.sizeBytes) return info.sizeBytes;
    if (!run.dryRun) {
      const opened = await run.source.open(meet.mediaKey);
      if (opened === null) return null;
      const written = await this.storage.write(target, opened.stream, 'video/mp4', run.signal);
      if (written !== opened.info.sizeBytes) {
        throw new Error(
          `${written} of ${opened.info.sizeBytes} bytes of ${meet.mediaKey} came; run it again`,
        );
      }
    }
    run.copied(info.sizeBytes);
    return info.sizeBytes;
  }

  private bringRoom({ rooms }: Run, { roomId, roomName }: MeetRecording): Promise<void> {
    const known = rooms.get(roomId);
    if (known) return known;
    const bring = async (): Promise<void> => {
      const made = await this.roomStore.create(newRoom(roomId, { name: roomName }, this.clock.now()));
      if (made !== 'exists') await this.saver.save(roomId, [made.rev]);
    };
    const bringing = bring();
    rooms.set(roomId, bringing);
    return bringing;
  }
}
