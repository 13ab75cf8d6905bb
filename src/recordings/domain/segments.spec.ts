import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import type { Fact } from './facts.js';
import type { StoredRecording } from './recording.js';
import { decide } from './recording.machine.js';
import { isUnsettled } from './slot.js';
import { verdict } from './verdict.js';
import { NO_EVIDENCE } from './evidence.js';
import { THRESHOLDS } from './thresholds.js';

const EGRESS = 'EG_000000000001';
const LIMITS = {
  ...{ startTimeoutMs: 20_000, livekitTimeoutMs: 10_000, workerCheckEveryMs: 20_000 },
  ...{ workerLostAfterMs: 20_000, staleAfterMs: 300_000 },
};

describe('a crash-proof recording that ends without its file', () => {
  const active = aRecording({
    ...{ crashProof: true, status: 'ACTIVE', egressId: EGRESS, startedAt: T0 + 2_000 },
    upkeep: { egresses: { [EGRESS]: 'live' }, startAnswer: 'accepted', startResult: 'ACTIVE' },
  });
  const after = (recording: StoredRecording, ...facts: Fact[]): StoredRecording =>
    facts.reduce((now, fact) => {
      const decision = decide(now, fact);
      return decision.kind === 'advance' ? decision.next : now;
    }, recording);
  const lost: Fact = { kind: 'recorder-lost', egressId: EGRESS, media: null, at: T0 + 60_000 };
  const joined: Fact = {
    ...{ kind: 'segments-joined', filename: 'a.mp4', sizeBytes: 9, durationMs: 56_000, missing: null },
    at: T0 + 70_000,
  } as const;
  const failed: Fact = {
    ...{ kind: 'egress-seen', egress: anEgress(active, { status: 'FAILED' }), at: T0 + 60_000 },
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
    expect(decide(held, { kind: 'recovery-due', at })).toMatchObject({
      effects: expect.arrayContaining([{ do: 'recover' }]),
    });
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
    expect(over.error).toMatch(/all torn; its segments are kept in recordings\/r\/x\//);
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
