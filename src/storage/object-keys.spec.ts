import * as fc from 'fast-check';
import { roomNames } from '../../test/support/room-names.js';
import {
  newRecordingId,
  parseRecordingId,
  parseRoomId,
  type RecordingId,
  type RoomId,
} from '../kernel/ids.js';
import {
  artifactsOf,
  isAudioOnly,
  isObjectKey,
  MEDIA_PREFIX,
  mediaKey,
  METADATA_PREFIX,
  metadataKey,
  parseMediaKey,
  parseMetadataKey,
  ROOM_PREFIX,
  roomKey,
  roomMetadataKey,
} from './object-keys.js';

const recordingIds = fc.integer({ min: 0, max: 2 ** 47 }).map(newRecordingId);

const room = parseRoomId('standup-7') as RoomId;
const recording = parseRecordingId('rec_01JD8PZ5Y3V9W6X2K4M7N0QRST') as RecordingId;

describe('object keys', () => {
  it('are those of the configuration contract', () => {
    expect(mediaKey({ roomId: room, id: recording, audioOnly: false, crashProof: false })).toBe(
      'recordings/standup-7/rec_01JD8PZ5Y3V9W6X2K4M7N0QRST.mp4',
    );
    expect(mediaKey({ roomId: room, id: recording, audioOnly: true, crashProof: false })).toBe(
      'recordings/standup-7/rec_01JD8PZ5Y3V9W6X2K4M7N0QRST.ogg',
    );
    expect(metadataKey({ roomId: room, id: recording })).toBe(
      'recordings/.metadata/standup-7/rec_01JD8PZ5Y3V9W6X2K4M7N0QRST.json',
    );
    expect(roomMetadataKey(room)).toBe('recordings/.room_metadata/standup-7/room_metadata.json');
    expect(roomKey(room)).toBe('rooms/standup-7.json');
  });

  it('lead from a media key back to its recording, whatever stands before it', () => {
    fc.assert(
      fc.property(
        roomNames,
        recordingIds,
        fc.boolean(),
        fc.constantFrom('', '/', '/out/', 'a/b/', '/srv/.tallylight/storage/'),
        (roomId, recordingId, audioOnly, before) => {
          const key = mediaKey({ roomId, id: recordingId, audioOnly, crashProof: false });
          const artifacts = artifactsOf({ roomId, id: recordingId });
          expect(parseMediaKey(before + key)).toEqual({ key, recordingId, artifacts });
          expect(artifacts.media).toContain(key);
          expect(isAudioOnly(key)).toBe(audioOnly);
          expect(parseMetadataKey(artifacts.record)).toEqual({
            key: artifacts.record,
            recordingId,
            artifacts,
          });
        },
      ),
    );
  });

  it('name media only where they are media', () => {
    fc.assert(
      fc.property(roomNames, recordingIds, (roomId, recordingId) => {
        for (const key of [
          metadataKey({ roomId, id: recordingId }),
          roomMetadataKey(roomId),
          roomKey(roomId),
        ]) {
          expect(parseMediaKey(key)).toBeNull();
        }
      }),
    );
    for (const path of [
      '',
      'recordings/standup-7/else.mp4',
      `recordings/../${recording}.mp4`,
      `recordings/${recording}.mp4`,
      `recordings/standup-7/${recording}.webm`,
      `recordings/standup-7/${recording}.mp4.json`,
      `xrecordings/standup-7/${recording}.mp4`,
    ]) {
      expect({ path, parsed: parseMediaKey(path) }).toEqual({ path, parsed: null });
    }
  });

  it('of different things differ, and each stands under its prefix', () => {
    fc.assert(
      fc.property(roomNames, roomNames, recordingIds, (a, b, id) => {
        const keys = (roomId: RoomId) => [
          mediaKey({ roomId, id, audioOnly: false, crashProof: false }),
          mediaKey({ roomId, id, audioOnly: true, crashProof: false }),
          metadataKey({ roomId, id }),
          roomMetadataKey(roomId),
          roomKey(roomId),
        ];
        const all = new Set([...keys(a), ...keys(b)]);
        expect(all.size).toBe(a === b ? 5 : 10);
        expect(
          mediaKey({ roomId: a, id, audioOnly: false, crashProof: false }).startsWith(MEDIA_PREFIX),
        ).toBe(true);
        expect(metadataKey({ roomId: a, id }).startsWith(METADATA_PREFIX)).toBe(true);
        expect(roomKey(a).startsWith(ROOM_PREFIX)).toBe(true);
        expect([...all].every(isObjectKey)).toBe(true);
      }),
    );
  });
});

describe('a text that is no object key', () => {
  it.each([
    '',
    '/',
    '/etc/passwd',
    'a//b',
    'a/',
    '.',
    '..',
    'a/../b',
    'a/./b',
    'a\\b',
    'a\0b',
    '.tmp/x',
    '.tmp',
    'x'.repeat(901),
  ])('is refused: %j', (key) => {
    expect(isObjectKey(key)).toBe(false);
  });
});
