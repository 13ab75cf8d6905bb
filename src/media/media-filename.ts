import type { Recording } from '../recordings/domain/recording.js';
import { mediaExtension } from '../storage/object-keys.js';

/** In characters; a file's name may have 255 bytes. */
const LONGEST_ROOM = 50;

/** A name for a person's disk: the room, and when the recording began (UTC). */
export function mediaFilename(recording: Recording): string {
  const at = new Date(recording.startedAt ?? recording.requestedAt).toISOString();
  const when = `${at.slice(0, 10)} ${at.slice(11, 19).replace(/:/g, '-')}`;
  const room = recording.roomName
    // What a file system or a shell takes for something else, and what hides the real name.
    .replace(/[\p{Cc}\p{Cf}\p{Cs}<>:"/\\|?*]+/gu, '-')
    .replace(/^[.\s-]+|[.\s]+$/g, '');
  return `${[...room].slice(0, LONGEST_ROOM).join('') || recording.id} ${when}.${mediaExtension(recording)}`;
}

/** Content-Disposition as RFC 6266 and 8187 write it: readable by old clients, exact for the others. */
export function attachment(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_');
  if (plain === filename) return `attachment; filename="${plain}"`;
  const exact = encodeURIComponent(filename).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
