import { parseRecordingId, parseRoomId, type RecordingId, type RoomId } from '../kernel/ids.js';

/** Pure names of objects, relative to the storage's prefix, as the configuration contract lists them. */

export function mediaKey(roomId: RoomId, recordingId: RecordingId, audioOnly: boolean): string {
  return `recordings/${roomId}/${recordingId}.${audioOnly ? 'ogg' : 'mp4'}`;
}

export function metadataKey(roomId: RoomId, recordingId: RecordingId): string {
  return `${METADATA_PREFIX}${roomId}/${recordingId}.json`;
}

export function roomMetadataKey(roomId: RoomId): string {
  return `recordings/.room_metadata/${roomId}/room_metadata.json`;
}

export function roomKey(roomId: RoomId): string {
  return `${ROOM_PREFIX}${roomId}.json`;
}

/** `folder` is a kind of what is kept: keys, links, endpoints. */
export function accessKey(folder: string, id: string): string {
  return `${ACCESS_PREFIX}${folder}/${id}.json`;
}

export const ACCESS_PREFIX = 'access/';
export const MEDIA_PREFIX = 'recordings/';
export const METADATA_PREFIX = 'recordings/.metadata/';
export const ROOM_PREFIX = 'rooms/';
/** How often recordings were brought back from here; there only once they were. */
export const RETURNS_KEY = 'rebuilds.json';

const MEDIA = /(?:^|\/)recordings\/([^/]+)\/([^/]+)\.(mp4|ogg)$/;

/** The recording that a media key or an egress' file path belongs to; null for anything else. */
export function parseMediaKey(
  path: string,
): { roomId: RoomId; recordingId: RecordingId; audioOnly: boolean } | null {
  const match = MEDIA.exec(path);
  if (!match) return null;
  const roomId = parseRoomId(match[1] ?? '');
  const recordingId = parseRecordingId(match[2] ?? '');
  return roomId && recordingId ? { roomId, recordingId, audioOnly: match[3] === 'ogg' } : null;
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
