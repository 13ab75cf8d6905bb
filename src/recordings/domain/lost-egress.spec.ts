import { aRecording, T0 } from '../../../test/support/builders.js';
import { after, told } from '../../../test/support/told.js';
import type { Fact } from './facts.js';
import type { StoredRecording, Upkeep } from './recording.js';

const EGRESS = 'EG_000000000001';
const active = (upkeep: Partial<Upkeep> = {}): StoredRecording =>
  aRecording({
    ...{ status: 'ACTIVE', egressId: EGRESS, startedAt: T0 + 2_000 },
    upkeep: { egresses: { [EGRESS]: 'live' }, startAnswer: 'accepted', ...upkeep },
  });
const media = { sizeBytes: 7 };
const gone = (fields: Partial<Extract<Fact, { kind: 'egress-gone' }>> = {}): Fact => ({
  ...{ kind: 'egress-gone', proof: 'not-found', media: null, at: T0 + 60_000 },
  ...fields,
});
const lost = (fields: Partial<Extract<Fact, { kind: 'recorder-lost' }>> = {}): Fact => ({
  ...{ kind: 'recorder-lost', egressId: EGRESS, media: null, at: T0 + 60_000 },
  ...fields,
});
const limit: Fact = { kind: 'duration-limit-passed', at: T0 + 50_000 };
const cancelled = aRecording({
  ...{ status: 'ENDING', endReason: 'START_CANCELLED', egressId: EGRESS },
  upkeep: { egresses: { [EGRESS]: 'live' }, startAnswer: 'accepted' },
});

describe('an egress that LiveKit no longer knows', () => {
  it('ends its recording by what is in the bucket, which is not asked again', () => {
    expect(after(active(), gone())).toMatchObject({
      ...{ status: 'ABORTED', endReason: 'STALE', endedAt: T0 + 60_000, hasMedia: false },
      error: 'LiveKit no longer knows the egress, and it left no media',
      upkeep: {
        egresses: { [EGRESS]: 'over' },
        bucketChecked: true,
        holdsSlot: false,
        listedAt: T0 + 60_000,
      },
    });
    expect(after(active(), gone({ media }))).toMatchObject({
      ...{ status: 'COMPLETE', endReason: 'STALE', hasMedia: true, sizeBytes: 7, error: null },
      upkeep: { startResult: 'ACTIVE' },
    });
  });

  it('ends what was to end as it was to end', () => {
    expect(after(active(), limit, gone({ media }))).toMatchObject({
      ...{ status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED' },
    });
    expect(after(cancelled, gone())).toMatchObject({
      ...{ status: 'ABORTED', endReason: 'START_CANCELLED', error: null },
    });
    expect(after(cancelled, gone({ media }))).toMatchObject({
      ...{ status: 'COMPLETE', endReason: 'START_CANCELLED' },
    });
    const stopped = after(active(), { kind: 'stop-taken', egress: null, at: T0 + 50_000 });
    expect(after(stopped, gone())).toMatchObject({ status: 'ABORTED', endReason: 'STALE' });
  });

  it('that never was one is a start that LiveKit did not take', () => {
    const unseen = after(aRecording(), gone());
    expect(unseen).toMatchObject({
      ...{ status: 'FAILED', endReason: 'START_REJECTED' },
      upkeep: { startResult: { code: 'RECORDING_START_REJECTED' } },
    });
    expect(unseen.error).toMatch(/could not accept the start request; is an egress worker/);
  });

  it('by its absence is only believed after several looks over some seconds', () => {
    const absence = { looks: 3, firstAt: T0 + 10_000, lastAt: T0 + 18_000 };
    const judge = (fields: Partial<typeof absence>): string =>
      after(active({ absence: { ...absence, ...fields } }), gone({ proof: 'absence' })).status;
    expect(judge({})).toBe('ABORTED');
    expect(judge({ looks: 2 })).toBe('ACTIVE');
    expect(judge({ lastAt: T0 + 17_999 })).toBe('ACTIVE');
  });

  it('is asked for less often where nothing of it was ever named', () => {
    const absence = { looks: 2, firstAt: T0 + 10_000, lastAt: T0 + 12_000 };
    const judge = (fields: Partial<typeof absence>): string =>
      after(aRecording({ upkeep: { absence: { ...absence, ...fields } } }), gone({ proof: 'absence' }))
        .status;
    expect(judge({})).toBe('FAILED');
    expect(judge({ looks: 1 })).toBe('STARTING');
    expect(judge({ lastAt: T0 + 11_999 })).toBe('STARTING');
  });
});

describe('an egress that has neither reported nor answered for long', () => {
  const silent = gone({ proof: 'silence' });

  it('ends its recording, and is stopped: LiveKit lists it, and it holds the room', () => {
    const { next, effects } = told(active(), silent);
    expect(next).toMatchObject({
      ...{ status: 'ABORTED', endReason: 'STALE' },
      upkeep: { egresses: { [EGRESS]: 'live' }, holdsSlot: true, bucketChecked: false },
    });
    expect(next.error).toMatch(/neither reported nor answered any more/);
    expect(effects).toContainEqual({
      ...{ do: 'stop-egress', egressId: EGRESS },
      why: 'it has long neither reported nor answered, and nobody publishes in its room',
    });
    expect(told(active(), gone()).effects).not.toContainEqual(expect.objectContaining({ do: 'stop-egress' }));
  });
});

describe('an egress whose worker is proven dead', () => {
  it('ends its recording with what is in the bucket, which is not asked again', () => {
    expect(after(active(), lost({ media }))).toMatchObject({
      ...{ status: 'COMPLETE', endReason: 'RECORDER_LOST', hasMedia: true, sizeBytes: 7 },
      upkeep: { egresses: { [EGRESS]: 'lost' }, bucketChecked: true, startResult: 'ACTIVE' },
    });
    const { next } = told(active(), lost());
    expect(next).toMatchObject({
      ...{ status: 'FAILED', endReason: 'RECORDER_LOST' },
      error: 'the egress worker died, and what it had recorded is lost',
      upkeep: { bucketChecked: false },
    });
  });

  it('ends a cancelled start as such', () => {
    expect(after(cancelled, lost())).toMatchObject({ status: 'ABORTED', endReason: 'START_CANCELLED' });
  });

  it('is remembered as dead beside another one that records, and once', () => {
    const both = active({ egresses: { [EGRESS]: 'live', EG_000000000002: 'live' } });
    const other = after(both, lost({ egressId: 'EG_000000000002' }));
    expect(other).toMatchObject({
      status: 'ACTIVE',
      upkeep: { egresses: { [EGRESS]: 'live', EG_000000000002: 'lost' } },
    });
    expect(after(other, lost({ egressId: 'EG_000000000002', at: T0 + 61_000 }))).toBe(other);
    expect(after(active(), lost({ egressId: 'EG_unknown' }))).toMatchObject({ status: 'ACTIVE' });
  });

  it('and that stood still says since when', () => {
    const stalled = after(active(), lost({ stalledSince: T0 + 30_000 }));
    expect(stalled.upkeep.stalledSince).toBe(T0 + 30_000);
    expect(stalled.error).toBe('no media came of the recording since 2026-11-22T10:00:30.000Z');
  });
});
