import { aRecording, T0 } from '../../../test/support/builders.js';
import type { StoredRecording } from './recording.js';
import { effectsOfRestore, restoredRecording } from './restored-recording.js';

const EGRESS = 'EG_000000000001';
const at = T0 + 90_000;
const running = { egressId: EGRESS, startedAt: T0 + 2_000 } as const;

describe('a recording that comes back from its copy', () => {
  it('leaps in its numbers once per rebuild, the same each time it is brought back in one', () => {
    const copy = aRecording({ ...running, status: 'ACTIVE', version: 3, rev: 7, updatedAt: T0 + 5_000 });
    const first = restoredRecording(copy, 1, at);
    expect(first).toMatchObject({
      ...{ version: 1_003, rev: 1_000_007, updatedAt: at },
      upkeep: { returned: { number: 1, rev: 1_000_007, copyAt: T0 + 5_000 } },
    });
    expect(restoredRecording(copy, 1, at)).toEqual(first);
    expect(restoredRecording(copy, 3, at)).toMatchObject({ version: 3_003, rev: 3_000_007 });
    expect(restoredRecording(first, 2, at)).toMatchObject({ version: 2_003, rev: 2_000_007 });
  });

  it('never goes back in time, and is not sent to LiveKit again', () => {
    const ahead = aRecording({ updatedAt: at + 1, upkeep: { startSentAt: null } });
    const { updatedAt, upkeep } = restoredRecording(ahead, 1, at);
    expect(updatedAt).toBe(at + 1);
    expect(upkeep.startSentAt).toBe(T0);
    const sent = aRecording({ upkeep: { startSentAt: T0 + 40 } });
    expect(restoredRecording(sent, 1, at).upkeep.startSentAt).toBe(T0 + 40);
  });

  it('has its segments joined by somebody new, and its looks at LiveKit begun anew', () => {
    const recovery = { since: T0, askedAt: T0 + 1, otherwise: { status: 'FAILED', error: null } } as const;
    const absence = { looks: 2, firstAt: T0, lastAt: T0 };
    const copy = aRecording({ status: 'ENDING', upkeep: { recovery, absence } });
    expect(restoredRecording(copy, 1, at).upkeep).toMatchObject({
      ...{ recovery: { ...recovery, askedAt: null }, absence: null },
    });
    expect(restoredRecording(aRecording(), 1, at).upkeep).not.toHaveProperty('recovery');
  });
});

describe('what is ordered for a recording that came back', () => {
  const orders = (fields: Parameters<typeof aRecording>[0]) => effectsOfRestore(aRecording(fields), at);
  const looked = [{ do: 'write-metadata' }, { do: 'reconcile', at }];
  const live = { egresses: { [EGRESS]: 'live' } } as const;
  const settled = { holdsSlot: false, bucketChecked: true } as const;

  it.each<[string, Partial<Omit<StoredRecording, 'upkeep'>>]>([
    ['is to end', { status: 'ENDING' }],
    ['is over before its egress', { status: 'FAILED' }],
  ])('stops what %s once more', (_, fields) => {
    expect(orders({ ...running, ...fields, upkeep: live })).toEqual([
      ...looked,
      { do: 'stop-egress', egressId: EGRESS },
    ]);
  });

  it('looks at what is in progress, and does nothing for what is settled', () => {
    expect(orders({ ...running, status: 'ACTIVE', upkeep: live })).toEqual(looked);
    expect(orders({ status: 'COMPLETE', hasMedia: true, upkeep: settled })).toEqual([]);
  });

  it('finishes a deletion that was asked for', () => {
    const deletion = { requestedAt: T0, by: 'somebody' };
    expect(orders({ status: 'COMPLETE', hasMedia: true, upkeep: { ...settled, deletion } })).toEqual([
      ...looked,
      { do: 'finish-deletion', at },
    ]);
  });
});
