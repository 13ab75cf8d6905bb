import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import { after, told } from '../../../test/support/told.js';
import type { Fact } from './facts.js';
import type { StoredRecording } from './recording.js';
import { isUnsettled } from './slot.js';
import { verdict } from './verdict.js';
import { NO_EVIDENCE } from './evidence.js';
import { THRESHOLDS } from './thresholds.js';

const EGRESS = 'EG_000000000001';
const WORKER_DIED = 'the egress worker died, and what it had recorded is lost';
const LIMITS = {
  ...{ startTimeoutMs: 20_000, livekitTimeoutMs: 10_000, workerCheckEveryMs: 20_000 },
  ...{ workerLostAfterMs: 20_000, staleAfterMs: 300_000 },
};

describe('a crash-proof recording that ends without its file', () => {
  const active = aRecording({
    ...{ crashProof: true, status: 'ACTIVE', egressId: EGRESS, startedAt: T0 + 2_000 },
    upkeep: { egresses: { [EGRESS]: 'live' }, startAnswer: 'accepted', startResult: 'ACTIVE' },
  });
  const lost: Fact = { kind: 'recorder-lost', egressId: EGRESS, media: null, at: T0 + 60_000 };
  const joined: Fact = {
    ...{ kind: 'segments-joined', filename: 'a.mp4', sizeBytes: 9, durationMs: 56_000, missing: null },
    at: T0 + 70_000,
  } as const;
  const failed: Fact = {
    ...{ kind: 'egress-seen', egress: anEgress(active, { status: 'FAILED' }), at: T0 + 60_000 },
  } as const;

  const gone: Fact = { kind: 'egress-gone', proof: 'not-found', media: null, at: T0 + 60_000 };
  const emptyFile: Fact = {
    ...{ kind: 'egress-seen', egress: anEgress(active, { status: 'COMPLETE', file: { sizeBytes: 0 } }) },
    at: T0 + 60_000,
  } as const;
  /** Its stop came while it was being started. */
  const startedLate = {
    crashProof: true,
    status: 'ENDING',
    egressId: EGRESS,
    upkeep: { egresses: { [EGRESS]: 'live' } },
  } as const;

  it('is ENDING until its segments are joined, while its room is free and the meeting is recorded further', () => {
    const held = after(active, lost);
    expect(held).toMatchObject({ status: 'ENDING', endReason: 'RECORDER_LOST', hasMedia: false });
    expect(held.upkeep).toMatchObject({ holdsSlot: false, continuation: 'pending' });
    expect(isUnsettled(held)).toBe(true);
    const over = after(held, joined);
    expect(over).toMatchObject({
      ...{ status: 'COMPLETE', recovered: true, hasMedia: true, sizeBytes: 9, durationMs: 56_000 },
      endedAt: T0 + 60_000,
    });
    expect(after(over, joined)).toBe(over);
  });

  it('is told to be joined at once, and once more where nobody has done it for long', () => {
    const held = after({ ...active, upkeep: { ...active.upkeep, stopRequestedAt: T0 } }, lost);
    const judge = (recording: StoredRecording, now: number) =>
      verdict({ recording, evidence: NO_EVIDENCE, now, limits: LIMITS });
    const at = T0 + 61_000;
    expect(judge(held, at)).toMatchObject({ do: 'apply', fact: { kind: 'recovery-due' } });
    const asked = after(held, { kind: 'recovery-due', at });
    expect(told(held, { kind: 'recovery-due', at }).effects).toContainEqual({ do: 'recover' });
    const again = at + THRESHOLDS.recoveryOverdueMs;
    expect(judge(asked, at + 1_000)).toEqual({ do: 'wait', until: again });
    expect(judge(asked, again)).toMatchObject({ do: 'apply', fact: { kind: 'recovery-due' } });
    expect(judge(asked, T0 + 60_000 + THRESHOLDS.recoveryGiveUpMs)).toMatchObject({
      fact: { kind: 'segments-unusable' },
    });
  });

  it('is FAILED with its segments named where nothing can be made of them', () => {
    const fact = { kind: 'segments-unusable', why: 'all torn', folder: 'recordings/r/x/', at: T0 } as const;
    const over = after(active, lost, fact);
    expect(over).toMatchObject({ status: 'FAILED', endReason: 'RECORDER_LOST', hasMedia: false });
    expect(over.error).toBe(`${WORKER_DIED} (all torn; its segments are kept in recordings/r/x/)`);
    expect(after(over, fact)).toBe(over);
    expect(after(active, fact)).toBe(active);
    expect(after(active, lost, { ...fact, folder: null }).error).toBe(`${WORKER_DIED} (all torn)`);
  });

  it('is FAILED also where its egress ended well, and nothing can be made of what it left', () => {
    const empty = anEgress(active, { status: 'COMPLETE', file: { sizeBytes: 0 } });
    const fact = { kind: 'segments-unusable', why: 'all torn', folder: null, at: T0 + 70_000 } as const;
    const over = after(active, { kind: 'egress-seen', egress: empty, at: T0 + 60_000 }, fact);
    expect(over).toMatchObject({
      ...{ status: 'FAILED', endReason: 'ROOM_ENDED' },
      error: 'the file of the egress did not come (all torn)',
    });
    const aborted = after(active, gone, fact);
    expect(aborted).toMatchObject({ status: 'ABORTED', endReason: 'STALE' });
  });

  it.each<[string, Fact, string]>([
    ['its worker died', lost, 'the egress worker died; '],
    ['LiveKit forgot it', gone, 'LiveKit no longer knew the egress; '],
    ['its egress failed', failed, 'pipeline frozen; '],
    [
      'it stood still',
      { ...lost, stalledSince: T0 + 40_000 },
      'the recording stood still: no media came since ',
    ],
  ])('says what became of it where %s', (_, fact, said) => {
    const held = after(active, fact);
    expect(held.error).toContain(`${said}`);
    expect(held.error).toMatch(/; the media is put together from its segments$/);
    const over = after(held, { ...joined, missing: 'two segments' });
    expect(over.error).toContain(said);
    expect(over.error).toMatch(/; the media was put together from its segments, without two segments$/);
    expect(after(held, joined).error).toMatch(/was put together from its segments$/);
  });

  it('began when it was seen to begin, or as long before its end as its media lasts, and never before its request', () => {
    const unseen = after({ ...active, startedAt: null }, lost);
    expect(after(unseen, joined)).toMatchObject({ status: 'COMPLETE', startedAt: T0 + 4_000 });
    expect(after(unseen, { ...joined, durationMs: 90_000 }).startedAt).toBe(T0);
    expect(after(active, lost, joined).startedAt).toBe(T0 + 2_000);
  });

  it('is LIMIT_REACHED where its maximum duration ended it', () => {
    const limited = after(active, { kind: 'duration-limit-passed', at: T0 + 50_000 }, failed, joined);
    expect(limited).toMatchObject({ status: 'COMPLETE', endReason: 'EGRESS_FAILED' });
    const ended = after(active, { kind: 'duration-limit-passed', at: T0 + 50_000 }, emptyFile, joined);
    expect(ended).toMatchObject({ status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED', hasMedia: true });
  });

  it('asks the bucket no more for the file once its segments are looked at, and drops them once they are joined', () => {
    const { next: held, effects } = told(active, lost);
    expect(held.upkeep.bucketChecked).toBe(true);
    expect(effects).not.toContainEqual({ do: 'drop-segments' });
    expect(told(held, joined).effects).toContainEqual({ do: 'drop-segments' });
    const complete: Fact = { kind: 'egress-seen', egress: anEgress(active, { status: 'COMPLETE' }), at: T0 };
    expect(told(active, complete).effects).toContainEqual({ do: 'drop-segments' });
    expect(told(after(active, complete), { ...complete, at: T0 + 1 }).effects).toEqual([]);
  });

  it('takes a file that is empty for none also while they are joined', () => {
    const held = after(active, lost);
    expect(after(held, emptyFile)).toMatchObject({ status: 'ENDING', hasMedia: false });
    expect(after(held, emptyFile).upkeep.recovery).toEqual(held.upkeep.recovery);
  });

  it('ends as it would where nothing can have been written, and is put together where a cancelled start had written', () => {
    const starting = aRecording({ crashProof: true });
    const timedOut = after(starting, { kind: 'start-deadline-passed', waitedMs: 20_000, at: T0 + 20_000 });
    expect(timedOut).toMatchObject({ status: 'FAILED', endReason: 'START_TIMEOUT' });
    const cancelled = aRecording({ ...startedLate, endReason: 'START_CANCELLED' });
    const aborted: Fact = { ...failed, egress: anEgress(active, { status: 'ABORTED' }) };
    expect(after(cancelled, aborted)).toMatchObject({ status: 'ABORTED', endReason: 'START_CANCELLED' });
    const wrote = { ...cancelled, startedAt: T0 + 5_000 };
    expect(after(wrote, aborted)).toMatchObject({
      status: 'ENDING',
      upkeep: { recovery: expect.anything() },
    });
  });

  it.each([
    ['its egress failed', failed],
    ['LiveKit forgot it', { kind: 'egress-gone', proof: 'not-found', media: null, at: T0 + 60_000 }],
  ] as [string, Fact][])('is so also where %s', (_why, fact) => {
    expect(after(active, fact)).toMatchObject({ status: 'ENDING', upkeep: { holdsSlot: false } });
  });

  it('takes the file of its egress instead where that comes after all, before or after', () => {
    const late: Fact = {
      kind: 'egress-seen',
      egress: anEgress(active, { status: 'COMPLETE' }),
      at: T0 + 90_000,
    };
    const expected = { status: 'COMPLETE', recovered: false, sizeBytes: 646_898, error: null };
    expect(after(active, lost, late)).toMatchObject(expected);
    expect(after(active, lost, joined, late)).toMatchObject(expected);
    const found: Fact = { kind: 'media-looked-for', media: { sizeBytes: 5 }, at: T0 + 90_000 };
    expect(after(active, lost, found)).toMatchObject({ status: 'COMPLETE', sizeBytes: 5, recovered: false });
  });

  it('is put together where its file is empty', () => {
    const empty = anEgress(active, { status: 'COMPLETE', file: { sizeBytes: 0 } });
    expect(after(active, { kind: 'egress-seen', egress: empty, at: T0 + 60_000 })).toMatchObject({
      ...{ status: 'ENDING', hasMedia: false, sizeBytes: null },
    });
  });

  it('leaves what is not crash-proof as it was, and what never began', () => {
    expect(after({ ...active, crashProof: false }, lost).status).toBe('FAILED');
    const aborted = anEgress(active, { status: 'ABORTED' });
    const starting = { ...active, status: 'STARTING', startedAt: null } as const;
    expect(after(starting, { kind: 'egress-seen', egress: aborted, at: T0 + 9_000 }).status).toBe('ABORTED');
  });
});
