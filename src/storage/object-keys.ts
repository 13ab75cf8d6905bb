import { parseRecordingId, type RecordingId, type RoomId } from '../kernel/ids.js';
import { decodeRoomId, encodeRoomId } from '../kernel/room-code.js';

/** Pure names of objects, relative to the storage's prefix, as the configuration contract lists them. */

/** What has objects in the storage. */
export interface HasObjects {
  readonly id: RecordingId;
  readonly roomId: RoomId;
}

/** Every object key that belongs to a recording; some of them, or all, may hold nothing. */
export interface Artifacts {
  /** Its file, in whichever container it was written. */
  readonly media: readonly string[];
  /** What begins with these is its segments, any number of them. */
  readonly prefixes: readonly string[];
  /** The durable record. */
  readonly record: string;
}

export function artifactsOf({ id, roomId }: HasObjects): Artifacts {
  return artifactsIn(encodeRoomId(roomId), id);
}

function artifactsIn(room: string, id: RecordingId): Artifacts {
  return {
    media: EXTENSIONS.map((extension) => `${MEDIA_PREFIX}${room}/${id}.${extension}`),
    prefixes: [segmentFolder(room, id)],
    record: `${METADATA_PREFIX}${room}/${id}.json`,
  };
}

const EXTENSIONS = ['mp4', 'ogg'] as const;

/** What decides how the file of a recording is written. */
export interface Written {
  readonly audioOnly: boolean;
  readonly crashProof: boolean;
}

/** Of the file that a recording's egress writes: OGG and segments have no codec in common, so a crash-proof one is never OGG. */
export function mediaExtension({ audioOnly, crashProof }: Written): (typeof EXTENSIONS)[number] {
  return audioOnly && !crashProof ? 'ogg' : 'mp4';
}

/** Of the recording whose file this is, where it is not crash-proof. */
export function isAudioOnly(media: string): boolean {
  return media.endsWith(`.${mediaExtension({ audioOnly: true, crashProof: false })}`);
}

/** Where the file of a recording is. */
export function mediaKey(recording: HasObjects & Written): string {
  const room = encodeRoomId(recording.roomId);
  return `${MEDIA_PREFIX}${room}/${recording.id}.${mediaExtension(recording)}`;
}

/** Where a crash-proof recording's segments are, and the lists of them; beside each other, as an egress writes them. */
export interface SegmentKeys {
  /** What the name of each segment begins with: its number and `.ts` follow. */
  readonly prefix: string;
  /** Of all segments, and of the last few: rewritten with each segment. */
  readonly playlist: string;
  readonly livePlaylist: string;
  /** A few bytes of ours, by which it is tried whether the bucket takes what is written here. */
  readonly trial: string;
}

export function segmentKeys(recording: HasObjects): SegmentKeys {
  const folder = segmentFolder(encodeRoomId(recording.roomId), recording.id);
  return {
    prefix: `${folder}${SEGMENT_NAME}`,
    playlist: `${folder}index.m3u8`,
    livePlaylist: `${folder}live.m3u8`,
    trial: `${folder}trial.txt`,
  };
}

/** Of the segment of that name; null: none has such a name. */
export function segmentKey(recording: HasObjects, name: string): string | null {
  const key = `${segmentFolder(encodeRoomId(recording.roomId), recording.id)}${name}`;
  return segmentNumber(key) === null || name.includes('/') ? null : key;
}

/** Of the segment of that number. */
export function numberedSegmentKey(recording: HasObjects, number: number): string {
  return `${segmentKeys(recording).prefix}_${String(number).padStart(SEGMENT_DIGITS, '0')}.ts`;
}

/** Of a segment, by its key; null for what is none. */
export function segmentNumber(key: string): number | null {
  const [, number] = NUMBERED.exec(key) ?? [];
  return number === undefined ? null : Number(number);
}

const SEGMENT_NAME = 'part';
const SEGMENT_DIGITS = 5;
const NUMBERED = /\/part_(\d{5,9})\.ts$/;
const segmentFolder = (room: string, id: RecordingId): string => `${MEDIA_PREFIX}${room}/${id}/`;

export function metadataKey(recording: HasObjects): string {
  return artifactsOf(recording).record;
}

/** What the records of a room's recordings begin with. */
export function recordsPrefix(roomId: RoomId): string {
  return `${METADATA_PREFIX}${encodeRoomId(roomId)}/`;
}

export function roomMetadataKey(roomId: RoomId): string {
  return `recordings/.room_metadata/${encodeRoomId(roomId)}/room_metadata.json`;
}

export function roomKey(roomId: RoomId): string {
  return `${ROOM_PREFIX}${encodeRoomId(roomId)}.json`;
}

/** `folder` is a kind of what is kept: keys, links, endpoints. */
export function accessKey(folder: string, id: string): string {
  return `${ACCESS_PREFIX}${folder}/${id}.json`;
}

export const ACCESS_PREFIX = 'access/';
export const MEDIA_PREFIX = 'recordings/';
export const METADATA_PREFIX = 'recordings/.metadata/';
export const ROOM_PREFIX = 'rooms/';
/** In a folder: whose it is. */
export const DEPLOYMENT_KEY = 'deployment.json';
/** An object that is written, read and deleted again to see whether the storage can be used. */
export const PROBE_PREFIX = 'probe-';
/** How often recordings were brought back from here; there only once they were. */
export const RESTORE_GENERATIONS_KEY = 'rebuilds.json';

const MEDIA = /(?:^|\/)(recordings\/([^/.][^/]*)\/([^/]+)\.(?:mp4|ogg))$/;
const RECORD = /^recordings\/\.metadata\/([^/.][^/]*)\/([^/]+)\.json$/;

const SEGMENT = /^recordings\/([^/.][^/]*)\/([^/]+)\/[^/]+$/;
const ROOM_AS_RECORDED = /^recordings\/\.room_metadata\/([^/]+)\/room_metadata\.json$/;

/** The room that was kept under this key; `hashed`: only the object says which; null: no such key. */
export function parseRoomMetadataKey(key: string): RoomId | 'hashed' | null {
  return decodeRoomId(ROOM_AS_RECORDED.exec(key)?.[1] ?? '');
}

/** A key that names a recording, and everything else that belongs to that recording. */
export interface NamedObject {
  readonly key: string;
  readonly recordingId: RecordingId;
  readonly artifacts: Artifacts;
}

/** The recording whose media a key, or an egress' file path that ends with one, names; null for anything else. */
export function parseMediaKey(path: string): NamedObject | null {
  const [, key = '', room = '', id = ''] = MEDIA.exec(path) ?? [];
  return namedBy(key, room, id);
}

/** The recording whose record a key names; null for any other key. */
export function parseMetadataKey(key: string): NamedObject | null {
  const [, room = '', id = ''] = RECORD.exec(key) ?? [];
  return namedBy(key, room, id);
}

/** The recording among whose segments a key is; null for any other key. */
export function parseSegmentKey(key: string): NamedObject | null {
  const [, room = '', id = ''] = SEGMENT.exec(key) ?? [];
  return namedBy(key, room, id);
}

function namedBy(key: string, room: string, id: string): NamedObject | null {
  const recordingId = parseRecordingId(id);
  return recordingId === null ? null : { key, recordingId, artifacts: artifactsIn(room, recordingId) };
}

/** Where a folder keeps what is not yet an object; no key begins with it. */
export const ASIDE = '.tmp';

/** A key is a relative path of plain segments: it can name nothing outside the storage, on a disk or in a bucket. */
export function isObjectKey(key: string): boolean {
  if (key.length === 0 || Buffer.byteLength(key) > 900 || /[\\\0]/.test(key)) return false;
  const segments = key.split('/');
  return (
    segments[0] !== ASIDE &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}

export function assertObjectKey(key: string): void {
  if (!isObjectKey(key)) throw new Error(`${JSON.stringify(key)} is no object key`);
}
