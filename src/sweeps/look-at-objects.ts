import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { restoredRecording } from '../recordings/domain/restored-recording.js';
import { isFinal, type StoredRecording } from '../recordings/domain/recording.js';
import { hasLiveEgress } from '../recordings/domain/slot.js';
import { readArchived } from '../recordings/store/archived-recording.js';
import { MetadataArchive } from '../recordings/store/metadata-archive.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { RecordingWriter } from '../recordings/write/recording.writer.js';
import {
  artifactsOf,
  mediaKey,
  metadataKey,
  type NamedObject,
  parseMediaKey,
  parseMetadataKey,
  parseRoomMetadataKey,
  parseSegmentKey,
} from '../storage/object-keys.js';
import { type ObjectInfo, ObjectStorage } from '../storage/object-storage.port.js';
import { RecordingObjects } from '../storage/recording-objects.js';
import type { ObjectsSeen, SeenKind } from './objects-seen.js';
import { areSegmentsSpare } from '../recordings/domain/segments.js';
import { DropSegments } from '../recordings/use-cases/drop-segments.js';
import { RestoreFromRecord } from '../recordings/use-cases/restore-from-record.js';
import type { SweepPass } from './sweep.js';

/** What was written or changed less than this ago is on its way: uploads, records, deletions. */
export const ON_ITS_WAY_MS = 5 * 60_000;
/** A record is written in seconds; who is overtaken by another writer has been away for longer. */
const WRITTEN_WITHIN_MS = 15_000;

type Restore = (key: string) => Promise<void>;

interface Named extends NamedObject {
  readonly info: ObjectInfo;
  readonly what: SeenKind;
}

/** Objects whose recording is unknown, deleted, or tells something else. Objects that are none of ours are left alone. */
@Injectable()
export class LookAtObjects {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly archive: MetadataArchive,
    private readonly objects: RecordingObjects,
    private readonly restore: RestoreFromRecord,
    private readonly segments: DropSegments,
    private readonly clock: Clock,
  ) {}

  /** Looks through the bucket in one pass, page by page. */
  looking(pass: SweepPass, seen: ObjectsSeen): (objects: readonly ObjectInfo[]) => Promise<void> {
    const restore = this.restore.batch(pass.cause);
    return (objects) => this.look(pass, objects, seen, restore);
  }

  private async look(
    pass: SweepPass,
    objects: readonly ObjectInfo[],
    seen: ObjectsSeen,
    restore: Restore,
  ): Promise<void> {
    const named = objects
      .map(nameOf)
      .filter((one) => one !== null)
      .filter((one) => isFirst(one, seen));
    pass.examined(named.length);
    const ids = [...new Set(named.map(({ recordingId }) => recordingId))];
    const rows = new Map(await Promise.all(ids.map(async (id) => [id, await this.store.get(id)] as const)));
    for (const one of named) {
      const row = rows.get(one.recordingId) ?? null;
      if (this.clock.now() - one.info.lastModifiedMs < ON_ITS_WAY_MS && row?.upkeep.deleted !== true)
        continue;
      if (row === null) await this.lookAtOrphan(pass, one, seen, restore);
      else if (row.upkeep.deleted) await this.lookAtLeftover(pass, one, seen);
      else if (!isOf(one, row)) this.noteForeign(pass, one);
      else if (one.what === 'segments') await this.lookAtSegments(pass, one, row);
      else if (one.what === 'metadata') await this.lookAtRecord(pass, one, row);
      else await this.lookAtMedia(pass, one, row);
    }
    for (const info of objects) await this.lookAtRoom(pass, info);
  }

  private async lookAtOrphan(
    pass: SweepPass,
    one: Named,
    seen: ObjectsSeen,
    restore: Restore,
  ): Promise<void> {
    const { recordingId, info } = one;
    if (await this.store.wasDeleted(recordingId)) return this.lookAtLeftover(pass, one, seen);
    if (one.what === 'metadata') {
      return pass.suspect(
        {
          kind: 'RECORD_WITHOUT_ROW',
          subject: recordingId,
          action: 'restore the recording',
          detail: `${info.key} tells of a recording that is unknown`,
        },
        () => restore(info.key),
      );
    }
    // With a record it comes back by that, and its media with it.
    const { record } = one.artifacts;
    if (seen.has(recordingId, 'metadata') || (await this.storage.head(record)) !== null) return;
    const isFolder = one.what === 'segments';
    pass.note({
      kind: 'MEDIA_WITHOUT_RECORD',
      subject: isFolder ? folderOf(one) : info.key,
      action: 'none: keep it or remove it by hand',
      detail: `${isFolder ? 'segments' : `${info.sizeBytes} bytes`} of which no record says whose they are`,
    });
  }

  /** What a file has as well; where there is none, segments are all that is left of a recording, and stay. */
  private async lookAtSegments(pass: SweepPass, one: Named, row: StoredRecording): Promise<void> {
    if (!areSegmentsSpare(row) || this.clock.now() - row.updatedAt < ON_ITS_WAY_MS) return;
    await pass.suspect(
      {
        kind: 'LEFTOVER',
        subject: folderOf(one),
        action: 'remove them',
        detail: `segments of recording ${row.id}, whose file is there`,
      },
      () => this.segments.execute(row.id),
    );
  }

  private lookAtLeftover(pass: SweepPass, one: Named, seen: ObjectsSeen): Promise<void> {
    const { recordingId: id, artifacts, info } = one;
    seen.leftovers += 1;
    return pass.suspect(
      {
        kind: 'LEFTOVER',
        subject: info.key,
        action: 'remove it',
        detail: `recording ${id} was deleted`,
      },
      async () => {
        const [removal] = await this.objects.remove([artifacts]);
        if (removal?.gone === false) throw new Error(`not everything of it is deleted: ${removal.why}`);
      },
    );
  }

  private noteForeign(pass: SweepPass, { info, recordingId }: Named): void {
    pass.note({
      kind: 'MEDIA_WITHOUT_RECORD',
      subject: info.key,
      action: 'none: keep it or remove it by hand',
      detail: `recording ${recordingId} is kept under another name`,
    });
  }

  /**
   * Read only where its time says that it may be another than the row's: written before the last change, or so long after it
   * that it may have been a slow writer, overtaken, who was the last.
   */
  private async lookAtRecord(pass: SweepPass, one: Named, row: StoredRecording): Promise<void> {
    const { returned } = row.upkeep;
    const asItCame = returned !== undefined && returned.rev === row.rev;
    const changedAt = asItCame ? returned.copyAt : row.updatedAt;
    const writtenAfterMs = one.info.lastModifiedMs - changedAt;
    const isInTime = writtenAfterMs >= 0 && writtenAfterMs < WRITTEN_WITHIN_MS;
    if (isInTime || this.clock.now() - row.updatedAt < ON_ITS_WAY_MS) return;
    const body = await this.storage.get(one.info.key);
    if (body === null || (await this.isCurrent(one.info.key, body, row))) return;
    await pass.suspect(
      {
        kind: 'METADATA_OLDER',
        subject: row.id,
        action: 'write its record',
        detail: `${one.info.key} is older than version ${row.version}`,
      },
      () => this.archive.write(row.id),
    );
  }

  private async isCurrent(key: string, body: Buffer, row: StoredRecording): Promise<boolean> {
    const read = readArchived(key, body);
    if ('fault' in read) return false;
    const copy = read.record.recording;
    const number = row.upkeep.returned?.number ?? copy.upkeep.returned?.number ?? 0;
    return restoredRecording(copy, number, 0).version >= row.version;
  }

  /** Media that an egress left without a word is shown, never hidden; of another size than was told, it is a person's to judge. */
  private async lookAtMedia(pass: SweepPass, one: Named, row: StoredRecording): Promise<void> {
    if (row.hasMedia) return this.lookAtSize(pass, one, row);
    if (!isFinal(row.status) || hasLiveEgress(row) || row.upkeep.deletion !== null) return;
    const { sizeBytes } = one.info;
    await pass.suspect(
      {
        kind: 'MEDIA_NOT_SHOWN',
        subject: row.id,
        action: 'show its media',
        detail: `${one.info.key} has ${sizeBytes} bytes`,
      },
      async () => {
        await this.writer.apply(
          row.id,
          { kind: 'media-looked-for', media: { sizeBytes }, at: this.clock.now() },
          pass.cause,
        );
      },
    );
  }

  private lookAtSize(pass: SweepPass, { info }: Named, row: StoredRecording): void {
    const isChanging = !isFinal(row.status) || hasLiveEgress(row) || row.upkeep.deletion !== null;
    if (isChanging || row.sizeBytes === null || row.sizeBytes === info.sizeBytes) return;
    pass.note({
      kind: 'MEDIA_SIZE_DIFFERS',
      subject: row.id,
      action: 'none: look at the media, and bring it back or delete the recording',
      detail: `${info.key} has ${info.sizeBytes} bytes, the recording tells of ${row.sizeBytes}`,
    });
  }

  private async lookAtRoom(pass: SweepPass, info: ObjectInfo): Promise<void> {
    const named = parseRoomMetadataKey(info.key);
    if (named === null || this.clock.now() - info.lastModifiedMs < ON_ITS_WAY_MS) return;
    const roomId = named === 'hashed' ? await this.archive.roomIn(info.key) : named;
    if (roomId === null || (await this.store.countInRoom(roomId)) > 0) return;
    await pass.suspect(
      {
        kind: 'LEFTOVER',
        subject: info.key,
        action: 'remove it',
        detail: `no recording of room ${roomId} is left`,
      },
      () => this.archive.dropRoom(roomId),
    );
  }
}

/** Null: none of ours, or none of a recording. */
function nameOf(info: ObjectInfo): Named | null {
  const record = parseMetadataKey(info.key);
  if (record !== null) return { info, what: 'metadata', ...record };
  const media = parseMediaKey(info.key);
  if (media?.key === info.key) return { info, what: 'media', ...media };
  const segment = parseSegmentKey(info.key);
  return segment === null ? null : { info, what: 'segments', ...segment };
}

/** Of thousands of segments the first one stands for all. */
function isFirst({ recordingId, what }: Named, seen: ObjectsSeen): boolean {
  if (what === 'segments' && seen.has(recordingId, what)) return false;
  seen.add(recordingId, what);
  return true;
}

function folderOf({ artifacts: { prefixes } }: Named): string {
  return prefixes[0] ?? '';
}

function isOf({ key, what }: Named, row: StoredRecording): boolean {
  if (what === 'segments') return artifactsOf(row).prefixes.some((prefix) => key.startsWith(prefix));
  return key === (what === 'metadata' ? metadataKey(row) : mediaKey(row));
}
