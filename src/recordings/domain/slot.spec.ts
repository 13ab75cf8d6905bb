import { aRecording, T0 } from '../../../test/support/builders.js';
import type { StoredRecording, Upkeep } from './recording.js';
import { isUnsettled, mayFreeSlot, nextLookMs, watchedEgresses } from './slot.js';

const EGRESS = 'EG_000000000001';
const final = (upkeep: Partial<Upkeep>, fields: Partial<Omit<StoredRecording, 'upkeep'>> = {}) =>
  aRecording({
    ...{ status: 'FAILED', egressId: EGRESS, ...fields },
    upkeep: { egresses: { [EGRESS]: 'over' }, bucketChecked: true, ...upkeep },
  });

describe('a room is free again', () => {
  const at = T0 + 40_000;
  it.each<[string, Partial<Upkeep>, boolean]>([
    ['where its start was refused', { startAnswer: 'refused', startPendingUntil: at }, true],
    ['where its start was accepted', { startAnswer: 'accepted', startPendingUntil: at }, true],
    ['where LiveKit was never asked', { startSentAt: null, startPendingUntil: at + 1 }, true],
    [
      'not while its start may still be listed',
      { startAnswer: 'accepted', startPendingUntil: at + 1 },
      false,
    ],
    ['not while an egress runs', { startAnswer: 'accepted', egresses: { [EGRESS]: 'live' } }, false],
    [
      'not before a look at all that is listed, where nothing was answered',
      { startAnswer: 'unanswered', startPendingUntil: at, listedAt: null },
      false,
    ],
    [
      'not by a look before the end of its time',
      { startAnswer: 'unanswered', startPendingUntil: at, listedAt: at - 1 },
      false,
    ],
    ['after that look', { startAnswer: 'unanswered', startPendingUntil: at, listedAt: at }, true],
  ])('%s', (_, upkeep, expected) => {
    expect(mayFreeSlot(final(upkeep), at)).toBe(expected);
  });

  it('not while it is in progress', () => {
    const upkeep = { startAnswer: 'accepted', startPendingUntil: T0 } as const;
    expect(mayFreeSlot(aRecording({ status: 'ENDING', upkeep }), at)).toBe(false);
  });
});

describe('somebody has to come back to a recording', () => {
  const settled = { holdsSlot: false } as const;
  it.each<[string, StoredRecording, boolean]>([
    ['that is in progress', aRecording({ status: 'ACTIVE', upkeep: settled }), true],
    ['that holds its room', final({ holdsSlot: true }), true],
    ['that is to be gone on from', final({ ...settled, continuation: 'pending' }), true],
    ['but not once it is deleted', final({ ...settled, continuation: 'pending', deleted: true }), false],
    ['that is to be deleted', final({ ...settled, deletion: { requestedAt: T0, by: 'x' } }), true],
    [
      'but not once that is done',
      final({ ...settled, deletion: { requestedAt: T0, by: 'x' }, deleted: true }),
      false,
    ],
    ['whose media was not looked for', final({ ...settled, bucketChecked: false }), true],
    ['but not where it has media', final({ ...settled, bucketChecked: false }, { hasMedia: true }), false],
    ['nor where nothing of it ever ran', final({ ...settled, bucketChecked: false, egresses: {} }), false],
    ['nor once all of it is known', final(settled), false],
  ])('%s', (_, recording, expected) => {
    expect(isUnsettled(recording)).toBe(expected);
  });

  it('asks the workers of what runs for it, while it is in progress or holds its room', () => {
    const egresses = { [EGRESS]: 'live', EG_2: 'over', EG_3: 'lost', EG_4: 'live' } as const;
    expect(watchedEgresses(aRecording({ status: 'ACTIVE', upkeep: { egresses } }))).toEqual([EGRESS, 'EG_4']);
    expect(watchedEgresses(final({ egresses, holdsSlot: true }))).toEqual([EGRESS, 'EG_4']);
    expect(watchedEgresses(final({ egresses, holdsSlot: false }))).toEqual([]);
    expect(watchedEgresses(final({ holdsSlot: true }))).toEqual([]);
  });
});

describe('the next look at LiveKit comes', () => {
  const since = (ms: number): number => T0 + ms;
  const ending = aRecording({ status: 'ENDING', updatedAt: T0 });
  const over = (upkeep: Partial<Upkeep>) => final({ startPendingUntil: T0, ...upkeep }, { updatedAt: T0 });

  it.each<[string, StoredRecording, number, number | null]>([
    ['soon after a request', aRecording(), 0, 400],
    ['later the longer it takes', aRecording(), 3_000, 1_000],
    ['every three seconds at last', aRecording(), 60_000, 3_000],
    ['never while it is active', aRecording({ status: 'ACTIVE' }), 60_000, null],
    [
      'after two seconds where it was missing',
      aRecording({ status: 'ACTIVE', upkeep: { absence: { looks: 1, firstAt: T0, lastAt: T0 } } }),
      ...([60_000, 2_000] as const),
    ],
    ['soon after its end was ordered', ending, 0, 400],
    ['later while it uploads', ending, 30_000, 10_000],
    ['every 15 seconds at last', ending, 600_000, 15_000],
    ['soon after it was final', over({}), 0, 400],
    ['every ten seconds at last', over({}), 600_000, 10_000],
    [
      'when the time of its start is over',
      over({ startPendingUntil: since(35_000) }),
      ...([30_000, 5_050] as const),
    ],
    ['no sooner than any', over({ startPendingUntil: since(30_100) }), ...([30_000, 400] as const)],
    ['never once all of it is known', final({ holdsSlot: false }), ...([60_000, null] as const)],
  ])('%s', (_, recording, ms, expected) => {
    expect(nextLookMs(recording, since(ms))).toBe(expected);
  });
});
