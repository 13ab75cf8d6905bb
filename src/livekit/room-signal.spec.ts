import { toRoomSignalPayload } from './room-signal.js';

const SIGNAL = { recordingId: 'rec_1', roomId: 'r', status: 'ACTIVE', version: 2 };
const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

describe('the data packet that shows the red light', () => {
  it('holds what the contract names and nothing else', () => {
    expect(read(toRoomSignalPayload(SIGNAL))).toEqual(SIGNAL);
    expect(read(toRoomSignalPayload({ ...SIGNAL, error: null }))).toEqual(SIGNAL);
    expect(read(toRoomSignalPayload({ ...SIGNAL, ...{ secret: 'x' } }))).toEqual(SIGNAL);
  });

  it('says why a recording failed', () => {
    const failed = { ...SIGNAL, status: 'FAILED', error: 'S3 upload failed' };
    expect(read(toRoomSignalPayload(failed))).toEqual(failed);
  });
});
