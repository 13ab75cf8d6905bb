import fc from 'fast-check';
import { aRecording, aRoomId, T0 } from '../../../test/support/builders.js';
import {
  isFinal,
  RECORDING_STATUSES,
  type StoredRecording,
  type Upkeep,
} from '../../recordings/domain/recording.js';
import { backoffMs, type BulkDeletion, type Entry, NEW_WORK, nextLookMs } from './bulk-deletion.js';
import { verdictOn } from './verdict.js';

type Asked = Pick<BulkDeletion, 'scope' | 'roomId' | 'visibleRooms'>;
const named: Asked = { scope: 'ids', roomId: null, visibleRooms: null };
const ofRoom: Asked = { scope: 'room', roomId: aRoomId(), visibleRooms: null };
const entry = (recording: StoredRecording): Entry => ({ recordingId: recording.id, work: NEW_WORK });
const claim = { roomId: aRoomId(), crashProof: false };

/** Over, and its room is free. */
function over(fields: Partial<StoredRecording> = {}, upkeep: Partial<Upkeep> = {}): StoredRecording {
  const recording = aRecording({ status: 'COMPLETE', ...fields });
  return { ...recording, upkeep: { ...recording.upkeep, holdsSlot: false, ...upkeep } };
}

describe('what a bulk deletion does about a recording', () => {
  it.each([
    ['that is over: deletes it', over(), named, { do: 'delete', claim }],
    [
      'in progress that was named: refuses',
      aRecording({ status: 'ACTIVE' }),
      named,
      { code: 'RECORDING_NOT_STOPPED' },
    ],
    [
      'still ending that was named: refuses',
      aRecording({ status: 'ENDING' }),
      named,
      { code: 'RECORDING_NOT_STOPPED' },
    ],
    ['in a room that is emptied: stops it', aRecording({ status: 'ACTIVE' }), ofRoom, { do: 'stop' }],
    ['that starts in such a room: stops it', aRecording({ status: 'STARTING' }), ofRoom, { do: 'stop' }],
    ['that ends in such a room: waits for it', aRecording({ status: 'ENDING' }), ofRoom, { do: 'wait' }],
    ['that is over while it holds such a room: waits', over({}, { holdsSlot: true }), ofRoom, { do: 'wait' }],
    [
      'whose egress may still run there: waits',
      over({}, { egresses: { EG_1: 'live' } }),
      ofRoom,
      { do: 'wait' },
    ],
    [
      'whose recorder is proven lost: deletes it',
      over({}, { egresses: { EG_1: 'lost' } }),
      ofRoom,
      { do: 'delete' },
    ],
    [
      'of another room: refuses',
      over(),
      { ...named, roomId: aRoomId('other') },
      { code: 'RECORDING_NOT_IN_ROOM' },
    ],
    ['that was deleted: knows none', over({}, { deleted: true }), named, { code: 'RECORDING_NOT_FOUND' }],
    ['that somebody else deleted: forgets it', over({}, { deleted: true }), ofRoom, { do: 'forget' }],
    [
      'that the caller can not see: knows none',
      over(),
      { ...named, visibleRooms: [aRoomId('x')] },
      { code: 'RECORDING_NOT_FOUND' },
    ],
    [
      'that the caller can not see, of another room than named: knows none',
      over(),
      { ...named, roomId: aRoomId('x'), visibleRooms: [aRoomId('x')] },
      { code: 'RECORDING_NOT_FOUND' },
    ],
  ])('%s', (_what, recording, asked, verdict) => {
    expect(verdictOn(asked, entry(recording), recording, T0)).toMatchObject(verdict);
  });

  it('that went after it was claimed is deleted; one that nobody claimed never was there', () => {
    const recordingId = over().id;
    expect(verdictOn(named, { recordingId, work: { ...NEW_WORK, claim } }, null, T0)).toEqual({
      do: 'confirm',
      claim,
    });
    expect(verdictOn(named, { recordingId, work: NEW_WORK }, null, T0)).toMatchObject({
      code: 'RECORDING_NOT_FOUND',
    });
  });

  it('whose egress nobody hears of is deleted after a while all the same, under its tombstone', () => {
    const recording = over({}, { egresses: { EG_1: 'live' } });
    expect(verdictOn(ofRoom, entry(recording), recording, recording.updatedAt + 30_000)).toMatchObject({
      do: 'delete',
    });
  });

  it('is never to touch one that is not final', () => {
    const anyRecording = fc.record({
      status: fc.constantFrom(...RECORDING_STATUSES),
      holdsSlot: fc.boolean(),
      roomId: fc.constantFrom(aRoomId(), aRoomId('other')),
    });
    fc.assert(
      fc.property(anyRecording, fc.constantFrom(named, ofRoom), fc.nat(), (fields, asked, later) => {
        const { holdsSlot, ...seen } = fields;
        const recording = over(seen, { holdsSlot });
        const verdict = verdictOn(asked, entry(recording), recording, T0 + later);
        if (verdict.do === 'delete') expect(isFinal(recording.status)).toBe(true);
        if (verdict.do === 'delete' && asked.roomId !== null) expect(recording.roomId).toBe(asked.roomId);
      }),
    );
  });
});

describe('a recording that could not be deleted', () => {
  it('is tried again after delays that double, up to a limit', () => {
    expect([1, 2, 3, 4].map((attempts) => backoffMs(1_000, attempts))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(backoffMs(1_000, 99)).toBe(600_000);
  });

  it('because it runs is looked at ever more seldom, but every five seconds', () => {
    expect([0, 3_000, 60_000].map((waited) => nextLookMs(waited))).toEqual([300, 1_000, 5_000]);
  });
});
