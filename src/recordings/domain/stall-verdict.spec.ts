import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import { TallyError } from '../../kernel/errors.js';
import type { Case, Verdict } from './case.js';
import {
  type Evidence,
  known,
  type MediaProgress,
  NO_EVIDENCE,
  NOT_ASKED,
  type Observed,
  type SegmentsEvidence,
  type SegmentsLook,
  UNKNOWN_WORKER,
} from './evidence.js';
import type { RecordingStatus, StoredRecording } from './recording.js';
import { decide } from './recording.machine.js';
import { isMediaExpected, progressAfter, stallTime } from './stall-verdict.js';
import { THRESHOLDS } from './thresholds.js';
import { nextTime, verdict } from './verdict.js';

const ID = 'EG_000000000001';
const NOW = T0 + 1_000_000;
const LIMITS = {
  ...{ startTimeoutMs: 20_000, livekitTimeoutMs: 10_000, workerCheckEveryMs: 20_000 },
  ...{ workerLostAfterMs: 20_000, staleAfterMs: 300_000 },
};
const active = aRecording({
  ...{ crashProof: true, status: 'ACTIVE', egressId: ID, startedAt: T0 + 2_000 },
  upkeep: {
    ...{ egresses: { [ID]: 'live' }, startAnswer: 'accepted', startResult: 'ACTIVE' },
    activeSince: T0 + 2_000,
  },
});
const listed = known(anEgress(active, { status: 'ACTIVE' }));
const ending = known(anEgress(active, { status: 'ENDING' }));
const alive = { ...UNKNOWN_WORKER, heardAt: NOW - 1_000, listed };
const unavailable = {
  state: 'unavailable',
  error: new TallyError('STORAGE_UNAVAILABLE', 'the storage does not answer'),
} as const;
const secondsAgo = (...all: number[]): number[] => all.map((s) => NOW - s * 1_000);
const looked = (more: Partial<SegmentsLook> = {}): Observed<SegmentsLook> =>
  known({ at: NOW, newest: null, tookMs: 80, around: known({ isDue: true, recorderOut: false }), ...more });
/** Nothing new for 15 s, of which five looks over 10 s found people who publish and the recorder in the room. */
const still: MediaProgress = {
  ...{ newest: 7, grewAt: NOW - 15_000, lookedAt: NOW },
  ...{ stillAt: secondsAgo(10, 7.5, 5, 2.5, 0), recorderOut: false },
};
/** Nothing new for 41 s, and the recorder is out of the room. */
const out: MediaProgress = {
  ...{ newest: 7, grewAt: NOW - 41_000, lookedAt: NOW },
  ...{ stillAt: secondsAgo(21, 14, 7, 0), recorderOut: true },
};
const standstill: SegmentsEvidence = {
  ...{ progress: known<MediaProgress | null>(still), look: looked() },
  ...{ storing: known(40), grewSince: known(false) },
};

function judge(
  segments: Partial<SegmentsEvidence>,
  more: Partial<Evidence> = {},
  recording: StoredRecording = active,
): Verdict {
  const evidence: Evidence = {
    ...{ ...NO_EVIDENCE, workers: new Map([[ID, alive]]), media: known(null) },
    ...{ segments: { ...NO_EVIDENCE.segments, progress: known(null), ...segments }, ...more },
  };
  return verdict({ recording, evidence, now: NOW, limits: LIMITS });
}

describe('a pipeline that stands still', () => {
  it('is found where people publish, its worker answers, and the bucket answers and stores at once', () => {
    const said = judge(standstill);
    expect(said).toMatchObject({
      ...{ do: 'apply', cause: 'recorder-check' },
      fact: { kind: 'recorder-lost', egressId: ID, stalledSince: NOW - 15_000 },
    });
  });

  it('has LiveKit asked first, then the bucket whether it stores, and for the segments once more at the end', () => {
    const asked = (segments: Partial<SegmentsEvidence>, more: Partial<Evidence> = {}): unknown => {
      const said = judge(segments, more);
      return said.do === 'ask' ? said.question : said;
    };
    const { progress, look, storing } = standstill;
    const unlisted = { workers: new Map([[ID, { ...alive, listed: NOT_ASKED }]]) };
    expect(asked({ progress: known({ ...still, lookedAt: NOW - 20_000 }) })).toEqual({
      ...{ ask: 'segments', egressId: ID },
    });
    expect(asked({ progress, look }, unlisted)).toEqual({ ask: 'egress', egressId: ID });
    expect(asked({ progress, look })).toEqual({ ask: 'storing' });
    expect(asked({ progress, look, storing })).toEqual({ ask: 'segments-again' });
  });

  it.each<[string, Partial<SegmentsEvidence> & { other?: Partial<Evidence>; of?: StoredRecording }]>([
    ['nobody can be asked for the segments', { look: unavailable }],
    ['the bucket can not be written to', { storing: unavailable }],
    ['the bucket is slow to store', { storing: known(THRESHOLDS.promptBucketMs + 1) }],
    ['something came after all', { grewSince: known(true) }],
    ['nobody can be asked once more', { grewSince: unavailable }],
    ['two looks alone', { progress: known({ ...still, stillAt: secondsAgo(21, 0) }) }],
    [
      'too short a time with people who publish',
      { progress: known({ ...still, stillAt: secondsAgo(9, 4, 0) }) },
    ],
    [
      'a recorder that left 39 s after the last segment',
      { progress: known({ ...out, grewAt: NOW - 39_000 }) },
    ],
    [
      'a recorder that left, and too short a time with people who publish',
      { progress: known({ ...out, stillAt: secondsAgo(19, 9, 0) }) },
    ],
    ['no segment that ever came', { progress: known({ ...still, newest: null }) }],
    ['numbers that lists no longer have in order', { progress: known({ ...still, newest: 99_999 }) }],
    ['an egress that ends', { other: { workers: new Map([[ID, { ...alive, listed: ending }]]) } }],
    ['a recording that is not crash-proof', { of: { ...active, crashProof: false } }],
  ])('is none by %s', (_, { other, of, ...segments }) => {
    expect(judge({ ...standstill, ...segments }, other, of)).toMatchObject({ do: 'wait' });
  });

  it('is found as well of an egress whose recorder has left the room and that does not end', () => {
    expect(judge({ ...standstill, progress: known(out) })).toMatchObject({
      fact: { kind: 'recorder-lost', stalledSince: NOW - 41_000 },
    });
  });

  it('is a dead worker where that does not answer either: nothing stood still', () => {
    const silent = new Map([[ID, { ...alive, silentAt: secondsAgo(2) }]]);
    const said = judge(standstill, { workers: silent });
    expect(said).toMatchObject({ fact: { kind: 'recorder-lost', egressId: ID } });
    expect(said).not.toMatchObject({ fact: { stalledSince: expect.anything() as number } });
  });

  it('has its worker asked as soon as nothing was new', () => {
    const asked = (progress: MediaProgress): unknown => {
      const heard = new Map([[ID, { ...alive, heardAt: NOW - 7_000 }]]);
      const said = judge({ progress: known(progress), look: looked() }, { workers: heard });
      return said.do === 'ask' ? said.question : said.do;
    };
    expect(asked({ ...still, stillAt: [NOW] })).toEqual({ ask: 'worker', egressId: ID, listed: 'ACTIVE' });
    expect(asked({ ...still, stillAt: [] })).toBe('wait');
  });

  it('is found as well of an egress that was told to end and does neither', () => {
    const ending = { ...active, status: 'ENDING', endReason: 'STOP_REQUESTED' } as const;
    const looked_ = { looked: known(true as const) };
    expect(judge(standstill, looked_, ending)).toMatchObject({
      fact: { kind: 'recorder-lost', stalledSince: NOW - 15_000 },
    });
  });

  it('is looked for every few seconds, and sooner once nothing was new', () => {
    const next = (progress: MediaProgress | null): number | null => {
      const segments = { ...NO_EVIDENCE.segments, progress: known(progress) };
      const evidence = { ...NO_EVIDENCE, workers: new Map([[ID, { ...alive, heardAt: NOW }]]), segments };
      return nextTime({ recording: active, evidence, now: NOW, limits: LIMITS });
    };
    expect(next({ newest: 7, grewAt: NOW, lookedAt: NOW, stillAt: [] })).toBe(NOW + 4_000);
    expect(next({ ...still, stillAt: [NOW] })).toBe(NOW + 2_500);
    expect(next({ ...out, stillAt: [NOW] })).toBeCloseTo(NOW + 20_000 / 3, 0);
  });

  it('ends the recording as lost: its room is free, it is recorded further, and its segments are joined', () => {
    const fact = {
      kind: 'recorder-lost',
      egressId: ID,
      media: null,
      at: NOW,
      stalledSince: NOW - 41_000,
    } as const;
    const decision = decide(active, fact);
    if (decision.kind === 'ignore') throw new Error('nothing follows');
    const { next, effects } = decision;
    expect(next).toMatchObject({ status: 'ENDING', endReason: 'RECORDER_LOST', endedAt: NOW });
    expect(next.error).toMatch(
      /^the recording stood still: no media came since 20.*; the media is put together/,
    );
    expect(next.upkeep).toMatchObject({
      ...{
        egresses: { [ID]: 'lost' },
        continuation: 'pending',
        holdsSlot: false,
        stalledSince: NOW - 41_000,
      },
    });
    // The room is told in the words of the contract: its status and its error.
    expect(effects).toContainEqual({ do: 'signal-room', at: NOW });
  });
});

describe('what is remembered of segments', () => {
  const before: MediaProgress = { newest: 7, grewAt: 1_000, lookedAt: 21_000, stillAt: [21_000] };

  it('grows by what is new, however slow the bucket was to say so', () => {
    const seen = looked({ newest: 12, tookMs: 9_000 });
    expect(progressAfter(before, seen, 41_000)).toEqual({
      ...{ newest: 12, grewAt: 41_000, lookedAt: 41_000, stillAt: [] },
    });
  });

  it('counts a look at which nothing was new and somebody published', () => {
    expect(progressAfter(before, looked(), 41_000)).toEqual({
      ...before,
      ...{ lookedAt: 41_000, stillAt: [21_000, 41_000], recorderOut: false },
    });
  });

  it.each<[string, Observed<SegmentsLook>]>([
    ['a bucket that did not answer', unavailable],
    ['a bucket that is slow', looked({ tookMs: THRESHOLDS.promptBucketMs + 1 })],
    ['a room in which nobody publishes', looked({ around: known({ isDue: false, recorderOut: false }) })],
    ['a room that could not be asked about', looked({ around: unavailable })],
  ])('begins anew after %s', (_, look) => {
    expect(progressAfter(before, look, 41_000)).toEqual({ ...before, lookedAt: 41_000, stillAt: [] });
  });
});

describe('the loss of a pipeline that stands still', () => {
  it('has the bucket asked last for what there is of it', () => {
    expect(judge(standstill, { media: NOT_ASKED })).toEqual({ do: 'ask', question: { ask: 'media' } });
  });

  it.each<[string, Evidence['media'], unknown]>([
    ['what the bucket has', known({ sizeBytes: 7 }), { sizeBytes: 7 }],
    ['nothing of a bucket that has nothing', known(null), null],
    ['nothing of a bucket that could not be asked', unavailable, null],
  ])('is told with %s', (_, media, found) => {
    expect(judge(standstill, { media })).toMatchObject({ fact: { kind: 'recorder-lost', media: found } });
  });

  it.each<[string, Partial<SegmentsEvidence>, Partial<Evidence>]>([
    [
      'LiveKit no longer lists its egress',
      {},
      { workers: new Map([[ID, { ...alive, listed: known(null) }]]) },
    ],
    [
      'LiveKit could not be asked for its egress',
      {},
      { workers: new Map([[ID, { ...alive, listed: unavailable }]]) },
    ],
    ['nothing is remembered of its segments', { progress: known(null) }, {}],
    ['what is remembered of its segments was not read', { progress: NOT_ASKED }, {}],
    ['what is remembered of its segments could not be read', { progress: unavailable }, {}],
  ])('is not said where %s', (_, segments, more) => {
    expect(judge({ ...standstill, ...segments }, more)).toMatchObject({ do: 'wait' });
  });

  it('needs no word on where its recorder is: then it counts as in the room', () => {
    const { recorderOut: _, ...unsaid } = still;
    expect(judge({ ...standstill, progress: known(unsaid) })).toMatchObject({
      fact: { kind: 'recorder-lost', stalledSince: NOW - 15_000 },
    });
  });

  it.each([
    ['five segments', 8_000, 10],
    ['half of RECORDER_LOST_AFTER, where that is longer', 60_000, 30],
  ])('needs looks that find nothing over %s', (_, workerLostAfterMs, seconds) => {
    const over = (lasted: number): Verdict => {
      const stillAt = secondsAgo(lasted, lasted / 2, 0);
      const evidence: Evidence = {
        ...{ ...NO_EVIDENCE, workers: new Map([[ID, alive]]), media: known(null) },
        segments: { ...standstill, progress: known({ ...still, grewAt: NOW - 90_000, stillAt }) },
      };
      return verdict({ recording: active, evidence, now: NOW, limits: { ...LIMITS, workerLostAfterMs } });
    };
    expect(over(seconds)).toMatchObject({ fact: { kind: 'recorder-lost' } });
    expect(over(seconds - 0.1)).toMatchObject({ do: 'wait' });
  });
});

describe('the time at which segments are looked for', () => {
  const grown: MediaProgress = { newest: 7, grewAt: NOW - 1_000, lookedAt: NOW - 1_000, stillAt: [] };
  const caseOf = (progress: Observed<MediaProgress | null>, recording = active): Case => ({
    ...{ recording, now: NOW, limits: LIMITS },
    evidence: {
      ...{ ...NO_EVIDENCE, workers: new Map([[ID, alive]]) },
      segments: { ...NO_EVIDENCE.segments, progress },
    },
  });
  const since = (activeSince: number | undefined, requestedAt = T0): StoredRecording => {
    const { activeSince: _, ...upkeep } = active.upkeep;
    return {
      ...{ ...active, requestedAt },
      upkeep: { ...upkeep, ...(activeSince !== undefined && { activeSince }) },
    };
  };

  it.each<[string, number, Case]>([
    ['comes a few seconds after the look before', NOW + 3_000, caseOf(known(grown))],
    [
      'is counted, before the first look, from when its egress became active',
      NOW + 2_000,
      caseOf(known(null), since(NOW - 2_000)),
    ],
    [
      'is counted from the request where nothing says when it became active',
      NOW + 1_000,
      caseOf(known(null), since(undefined, NOW - 3_000)),
    ],
    [
      'is counted so as well where nothing is known of earlier looks',
      NOW + 2_000,
      caseOf(NOT_ASKED, since(NOW - 2_000)),
    ],
    [
      'is counted so as well where earlier looks could not be read',
      NOW + 2_000,
      caseOf(unavailable, since(NOW - 2_000)),
    ],
    [
      'is the usual one from now on, once it has passed in this run',
      NOW + 4_000,
      caseOf(known({ ...grown, lookedAt: NOW - 20_000 })),
    ],
    [
      'comes sooner after one that found nothing new',
      NOW + 1_500,
      caseOf(known({ ...still, lookedAt: NOW - 1_000, stillAt: secondsAgo(1) })),
    ],
    [
      'is a third of RECORDER_LOST_AFTER after one that found the recorder out of the room',
      NOW - 2_000 + 20_000 / 3,
      caseOf(known({ ...out, lookedAt: NOW - 2_000, stillAt: secondsAgo(2) })),
    ],
    [
      'comes no sooner where no segment ever came',
      NOW + 3_000,
      caseOf(known({ ...grown, newest: null, stillAt: secondsAgo(1) })),
    ],
  ])('%s', (_, time, of) => {
    expect(stallTime(of.recording, of.evidence, of.now, of.limits)).toBe(time);
    expect(nextTime(of)).toBe(time);
  });

  it('has come once the most of the pause is over: one run instead of two', () => {
    const asked = (agoMs: number): unknown => verdict(caseOf(known({ ...grown, lookedAt: NOW - agoMs })));
    expect(asked(2_900)).toEqual({ do: 'wait', until: NOW + 1_100 });
    expect(asked(3_000)).toEqual({ do: 'ask', question: { ask: 'segments', egressId: ID } });
  });

  it.each<
    [string, boolean, RecordingStatus, Partial<StoredRecording>, StoredRecording['upkeep']['egresses']]
  >([
    ['that is active', true, 'ACTIVE', {}, { [ID]: 'live' }],
    ['that ends', true, 'ENDING', {}, { [ID]: 'live' }],
    ['that starts', false, 'STARTING', {}, { [ID]: 'live' }],
    ['that failed while its egress lives on', false, 'FAILED', {}, { [ID]: 'live' }],
    ['whose egress is over', false, 'ACTIVE', {}, { [ID]: 'over' }],
    ['whose egress is lost, and another one lives', false, 'ENDING', {}, { [ID]: 'lost', EG_2: 'live' }],
    ['whose egress was never named', false, 'ACTIVE', { egressId: null }, {}],
    ['that is not crash-proof', false, 'ACTIVE', { crashProof: false }, { [ID]: 'live' }],
  ])('is one of a recording %s: %s', (_, expected, status, more, egresses) => {
    const recording = { ...active, status, ...more, upkeep: { ...active.upkeep, egresses } };
    const of = caseOf(known(grown), recording);
    expect(isMediaExpected(recording)).toBe(expected);
    expect(stallTime(recording, of.evidence, NOW, LIMITS)).toBe(expected ? NOW + 3_000 : null);
  });
});

describe('what the first look leaves to be remembered', () => {
  it.each<[string, number | null, Observed<SegmentsLook>]>([
    ['the newest segment', 4, looked({ newest: 4 })],
    ['that there was none', null, looked()],
    ['that nothing was learned', null, unavailable],
  ])('is %s, and nothing stands still by it', (_, newest, look) => {
    expect(progressAfter(null, look, 41_000)).toEqual({
      ...{ newest, grewAt: 41_000, lookedAt: 41_000, stillAt: [] },
    });
  });
});
