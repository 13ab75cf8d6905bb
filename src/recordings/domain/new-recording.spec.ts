import { aRecording, T0 } from '../../../test/support/builders.js';
import { firstEffects } from './new-recording.js';

describe('a new attempt', () => {
  it('holds its room, belongs to nobody yet, and nothing of it is known', () => {
    expect(aRecording()).toMatchObject({
      ...{ status: 'STARTING', version: 1, rev: 1, updatedAt: T0 },
      ...{ hasMedia: false, recovered: false, startedAt: null, endedAt: null },
      upkeep: { holdsSlot: true, egresses: {}, bucketChecked: false, deleted: false },
    });
    expect(aRecording().upkeep.startPendingUntil).toBe(T0 + 35_000);
  });

  it('is in the bucket, told to its room and looked at soon, whatever becomes of who stored it', () => {
    expect(firstEffects(aRecording())).toEqual([
      { do: 'reconcile', at: T0 + 400 },
      { do: 'write-metadata' },
      { do: 'signal-room', at: T0 },
    ]);
  });
});
