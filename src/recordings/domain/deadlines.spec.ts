import { aRecording, T0 } from '../../../test/support/builders.js';
import { durationLimitOf, startDeadlineOf } from './deadlines.js';
import type { StoredRecording, Upkeep } from './recording.js';

const of = (fields: Partial<StoredRecording>, upkeep: Partial<Upkeep> = {}): StoredRecording =>
  aRecording({ ...fields, upkeep });

describe('the time that a start may take', () => {
  it('begins with its request, and anew when it comes back from the bucket', () => {
    expect(startDeadlineOf(of({}), 20_000)).toBe(T0 + 20_000);
    const returned = { generation: 1 } as unknown as Upkeep['returned'];
    expect(startDeadlineOf(of({ updatedAt: T0 + 7_000 }, { returned }), 20_000)).toBe(T0 + 27_000);
    expect(startDeadlineOf(of({ status: 'ACTIVE' }), 20_000)).toBeNull();
  });
});

describe('the longest duration of a recording', () => {
  const HOUR = 3_600_000;
  it.each<[string, Partial<StoredRecording>, Partial<Upkeep>, number | null]>([
    ['our own clock', { startedAt: T0 + 90_000 }, { activeSince: T0 + 5_000 }, T0 + 5_000 + HOUR],
    ["LiveKit's beginning, where ours is not known", { startedAt: T0 + 4_000 }, {}, T0 + 4_000 + HOUR],
    ['its request, where LiveKit says less', { startedAt: T0 - 60_000 }, {}, T0 + HOUR],
    ['its request, where nothing is known', { startedAt: null }, {}, T0 + HOUR],
    ['nothing, where it is not active', { status: 'ENDING', startedAt: T0 }, {}, null],
  ])('counts from %s', (_, fields, upkeep, limit) => {
    expect(durationLimitOf(of({ status: 'ACTIVE', ...fields }, { maxDurationMs: HOUR, ...upkeep }))).toBe(
      limit,
    );
  });
});
