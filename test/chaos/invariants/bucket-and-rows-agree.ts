import { restoredRecording } from '../../../src/recordings/domain/restored-recording.js';
import { type StoredRecording, visiblePart } from '../../../src/recordings/domain/recording.js';
import { readArchived } from '../../../src/recordings/store/archived-recording.js';
import {
  artifactsOf,
  MEDIA_PREFIX,
  mediaKey,
  metadataKey,
  METADATA_PREFIX,
  parseMediaKey,
  parseSegmentKey,
  roomMetadataKey,
} from '../../../src/storage/object-keys.js';
import type { SimWorld } from '../world/sim-world.js';
import { type Invariant, isSame } from './invariant.js';

/** Instances' clocks differ by so much. */
const CLOCKS_DIFFER_MS = 5_000;

/**
 * I5: in the end every row has its record in the bucket and says truly whether media is there, and the bucket has nothing else;
 * and at no time is a row deleted before what the bucket held of it.
 */
export function bucketAndRowsAgree(): Invariant {
  return {
    name: 'I5',
    committed: (world, before, next) =>
      next.upkeep.deleted && before?.upkeep.deleted === false ? leftBehind(world, next) : null,
    end: (world) => rowsInBucket(world) ?? bucketInRows(world),
  };
}

function leftBehind({ bucket }: SimWorld, recording: StoredRecording): string | null {
  const { id, upkeep } = recording;
  const { media, record } = artifactsOf(recording);
  const since = upkeep.deletion?.requestedAt ?? 0;
  const left = [...media, record].find((key) => {
    const kept = bucket.get(key);
    // What was written meanwhile is another's to remove.
    return kept !== undefined && kept.lastModifiedMs < since - CLOCKS_DIFFER_MS;
  });
  return left === undefined ? null : `${id} is deleted and the bucket still has ${left}`;
}

function rowsInBucket(world: SimWorld): string | null {
  const { bucket, recordings } = world;
  const rows = [...recordings.rows.values()].map(({ doc }) => doc);
  for (const row of rows) {
    const key = metadataKey(row);
    const hasMedia = bucket.get(mediaKey(row)) !== undefined;
    const body = bucket.get(key)?.body;
    const read = body === undefined ? null : readArchived(key, body);
    if (read !== null && 'fault' in read) return `${key} can't be read: ${read.fault}`;
    const record = read?.record ?? null;
    if (row.upkeep.deleted) {
      if (hasMedia) return `${row.id} is deleted and its media is still there`;
      if (record !== null) return `${row.id} is deleted and its record is still there`;
      continue;
    }
    if (record === null) return `${row.id} has no record in the bucket`;
    if (!isRecordOf(record.recording, row)) {
      return `the record of ${row.id} in the bucket is not like its row`;
    }
    if (row.hasMedia !== hasMedia && !isFlagged(world, row)) {
      return `${row.id} says ${row.hasMedia ? 'it has' : 'it has no'} media, the bucket says otherwise`;
    }
    if (bucket.get(roomMetadataKey(row.roomId)) === undefined) {
      return `${row.roomId} has recordings and is not kept with them`;
    }
  }
  return null;
}

/** What came back from the bucket leaps in its numbers; its record is as good as before. */
function isRecordOf(record: StoredRecording, row: StoredRecording): boolean {
  if (isSame(visiblePart(record), visiblePart(row))) return true;
  const { returned } = row.upkeep;
  if (returned === undefined) return false;
  const { updatedAt } = row;
  return isSame(
    { ...visiblePart(restoredRecording(record, returned.number, 0)), updatedAt },
    visiblePart(row),
  );
}

/** What Redis forgot may have been a deletion, whose media is gone: the row stays, and a person is told. */
function isFlagged(world: SimWorld, { id, hasMedia }: StoredRecording): boolean {
  return hasMedia && isTold(world, 'MEDIA_MISSING', id);
}

/** After a loss, what nobody but a person can put right is told by the last pass. */
function isTold({ redis, sweeps }: SimWorld, what: string, about: string): boolean {
  const findings = sweeps.runs.get('STORAGE_RECONCILIATION')?.findings ?? [];
  return redis.losses > 0 && findings.some(({ kind, subject }) => kind === what && subject === about);
}

function bucketInRows(world: SimWorld): string | null {
  const present = world.rows().filter(({ upkeep }) => !upkeep.deleted);
  const known = new Set(present.flatMap((row) => [metadataKey(row), mediaKey(row)]));
  const crashProof = new Set(present.filter((row) => row.crashProof).map(({ id }) => id));
  const rooms = new Set(present.map(({ roomId }) => roomMetadataKey(roomId)));
  for (const key of world.bucket.keys(MEDIA_PREFIX)) {
    if (known.has(key) || rooms.has(key)) continue;
    // Those of a file that is there go by a job, and what an orphan writes later by the sweep.
    const segment = parseSegmentKey(key);
    if (segment !== null && crashProof.has(segment.recordingId)) continue;
    if (key.startsWith(METADATA_PREFIX)) return `the bucket has a record that no row has: ${key}`;
    // An attempt that Redis forgot before its record was written: its media says whose it was no longer.
    const folder = key.slice(0, key.lastIndexOf('/') + 1);
    if (isTold(world, 'MEDIA_WITHOUT_RECORD', segment === null ? key : folder)) continue;
    if (parseMediaKey(key) !== null) return `the bucket has media that no row has: ${key}`;
    return `the bucket keeps a room without recordings: ${key}`;
  }
  return null;
}
