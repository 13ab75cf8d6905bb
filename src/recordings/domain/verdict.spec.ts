import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { anyFacts, EGRESS_STATUSES } from '../../../test/support/arbitraries.js';
import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import { LIMITS } from '../../../test/support/limits.js';
import { after } from '../../../test/support/told.js';
import { TallyError } from '../../kernel/errors.js';
import type { EgressStatus, WorkerAnswer } from '../../livekit/livekit.types.js';
import {
  type Evidence,
  known,
  NO_EVIDENCE,
  NOT_ASKED,
  type Observed,
  UNKNOWN_WORKER,
  type WorkerEvidence,
} from './evidence.js';
import type { Fact } from './facts.js';
import { isFinal, type StoredRecording } from './recording.js';
import { isUnsettled, watchedEgresses } from './slot.js';
import type { Question, Verdict } from './case.js';
import { progressAfter } from './stall-verdict.js';
import { isHeldEnd, nextTime, verdict, verdictOfHeldEnd, verdictOfStopNotFound } from './verdict.js';

const ID = 'EG_000000000001';
const OTHER = 'EG_000000000002';
const unavailable = {
  state: 'unavailable',
  error: new TallyError('LIVEKIT_UNAVAILABLE', 'LiveKit does not answer'),
} as const;

const at = (ms: number): number => T0 + ms;
const sent: Fact = { kind: 'start-sending', by: 'i1', limitMs: 25_000, windowMs: 15_000, at: at(5) };
const start = aRecording();
const accepted: Fact = { kind: 'start-accepted', egress: anEgress(start), at: at(500) };
const becameActive: Fact = {
  kind: 'egress-seen',
  egress: anEgress(start, { status: 'ACTIVE' }),
  at: at(2_000),
};
const active = after(start, sent, accepted, becameActive);

function worker(news: Partial<WorkerEvidence>): Pick<Evidence, 'workers'> {
  return { workers: new Map([[ID, { ...UNKNOWN_WORKER, ...news }]]) };
}

function judge(recording: StoredRecording, evidence: Partial<Evidence>, now: number): Verdict {
  return verdict({ recording, evidence: { ...NO_EVIDENCE, ...evidence }, now, limits: LIMITS });
}

const silence = (...secondsAgo: number[]): readonly number[] =>
  secondsAgo.map((s) => at(100_000) - s * 1_000);
const NOW = at(100_000);
const answered = (said: WorkerAnswer, askedAs: EgressStatus = 'ACTIVE') => known({ said, askedAs });
const listed = known(anEgress(start, { status: 'ACTIVE' }));
/** Silent for long enough, listed as before, and asked in this run. */
const longSilent = { heardAt: at(70_000), silentAt: silence(16, 8, 0), answer: answered('silent'), listed };

describe('media of an egress that is silent, and whose death nobody can prove', () => {
  const timedOut = after(start, sent, accepted, {
    kind: 'start-deadline-passed',
    waitedMs: 20_000,
    at: at(20_000),
  });
  const late = at(20_000 + LIMITS.staleAfterMs + 1);
  const silentSince = (...secondsAgo: number[]): Partial<Evidence> => ({
    ...worker({ heardAt: null, silentAt: secondsAgo.map((s) => late - s * 1_000) }),
    looked: known(true),
  });
  const asked = (evidence: Partial<Evidence>, now = late): unknown => {
    const said = judge(timedOut, evidence, now);
    return said.do === 'ask' ? said.question.ask : said.do;
  };

  it('is looked for once it has been silent for STALE_AFTER, and shown', () => {
    expect(timedOut).toMatchObject({ status: 'FAILED', endReason: 'START_TIMEOUT', hasMedia: false });
    expect(asked(silentSince(16, 8, 0))).toBe('media');
    const said = judge(timedOut, { ...silentSince(16, 8, 0), media: known({ sizeBytes: 7 }) }, late);
    expect(said).toMatchObject({ do: 'apply', fact: { kind: 'media-looked-for', media: { sizeBytes: 7 } } });
  });

  it('is not looked for before, nor while it was silent once alone', () => {
    expect(asked(silentSince(16, 8, 0), late - 10)).not.toBe('media');
    expect(asked(silentSince(0))).not.toBe('media');
  });
});

describe('the verdict on a worker', () => {
  it('is asked for when its time has come, and not before', () => {
    expect(judge(active, worker({ heardAt: at(95_000) }), NOW)).toMatchObject({
      do: 'wait',
      until: at(105_000),
    });
    expect(judge(active, worker({ heardAt: at(89_000) }), NOW)).toEqual({
      do: 'ask',
      question: { ask: 'worker', egressId: ID, listed: 'ACTIVE' },
    });
  });

  it('is asked for at once when something happened in its room', () => {
    const nudged = worker({ heardAt: at(95_000), nudgedAt: at(99_000) });
    expect(judge(active, nudged, NOW)).toMatchObject({ do: 'ask', question: { ask: 'worker' } });
  });

  it.each([
    ['two silences', { ...longSilent, silentAt: silence(16, 0) }],
    ['silences too close', { ...longSilent, silentAt: silence(4, 2, 0) }],
    ['one that LiveKit no longer lists', { ...longSilent, listed: known(null) }],
    ['one that LiveKit could not be asked about', { ...longSilent, listed: unavailable }],
    ['no other worker, and none that answers', { ...longSilent, another: known(false) }],
    [
      'an answer at the last moment',
      { ...longSilent, another: known(true), confirmed: known<WorkerAnswer>('alive') },
    ],
    ['a last question that failed', { ...longSilent, another: known(true), confirmed: unavailable }],
  ])('ends nothing by %s', (_, known_) => {
    const evidence = { ...worker(known_), fleet: known(false), fleetInTheEnd: known(false) };
    expect(judge(active, evidence, NOW)).toMatchObject({ do: 'wait' });
  });

  it('is lost after silences in a row, while others answer, and silent once more; the bucket is asked last', () => {
    const asked: Question[] = [];
    let evidence: Evidence = { ...NO_EVIDENCE, ...worker({ ...longSilent, listed: NOT_ASKED }) };
    for (let step = 0; step < 10; step += 1) {
      const said = judge(active, evidence, NOW);
      if (said.do !== 'ask') {
        expect(said).toMatchObject({
          do: 'apply',
          fact: { kind: 'recorder-lost', egressId: ID },
          cause: 'recorder-check',
        });
        break;
      }
      asked.push(said.question);
      evidence = answer(evidence, said.question, {
        egress: 'ACTIVE',
        'another-worker': true,
        'worker-again': 'silent',
      });
    }
    expect(asked.map(({ ask }) => ask)).toEqual(['egress', 'another-worker', 'worker-again', 'media']);
  });

  it('is lost where its recorder has left people who go on, and no fleet answers in time', () => {
    const room = {
      open: true,
      sid: 'RM_000000000001',
      createdAtMs: 0,
      numPublishers: 2,
      activeRecording: false,
    } as const;
    const evidence = {
      ...worker({
        ...longSilent,
        presence: 'left',
        another: known(false),
        confirmed: known<WorkerAnswer>('silent'),
      }),
      fleet: unavailable,
      media: known(null),
    };
    const lost = { do: 'apply', fact: { kind: 'recorder-lost' } };
    expect(judge(active, { ...evidence, room: known(room) }, NOW)).toMatchObject(lost);
    const ofRoom = active;
    expect(judge(ofRoom, { ...evidence, room: known(room) }, NOW)).toMatchObject(lost);
    const another = known({ ...room, sid: 'RM_2' });
    expect(judge(ofRoom, { ...evidence, room: another, fleetInTheEnd: known(false) }, NOW)).toMatchObject({
      do: 'wait',
    });
  });
});

describe('the verdict on an egress that LiveKit has forgotten', () => {
  const unseen = (ms: number): Fact => ({ kind: 'egresses-listed', egresses: [], at: at(ms) });
  const missing = after(active, unseen(80_000), unseen(85_000), unseen(90_000));
  const judgeGone = (news: Partial<WorkerEvidence>, more: Partial<Evidence> = {}): Verdict =>
    verdictOfHeldEnd('GONE_EGRESS')({
      recording: missing,
      evidence: { ...NO_EVIDENCE, ...worker({ ...longSilent, listed: known(null), ...news }), ...more },
      now: NOW,
      limits: LIMITS,
    });
  const proven = { another: known(true), confirmed: known<WorkerAnswer>('silent') };

  it('ends it once nobody answers for it while others answer, and the bucket was asked', () => {
    expect(judgeGone({})).toMatchObject({ question: { ask: 'another-worker' } });
    expect(judgeGone({ another: known(true) })).toMatchObject({
      question: { ask: 'worker-again', listed: null },
    });
    expect(judgeGone(proven)).toMatchObject({ question: { ask: 'media' } });
    expect(judgeGone(proven, { media: known(null) })).toMatchObject({
      do: 'apply',
      fact: { kind: 'egress-gone', proof: 'absence' },
    });
  });

  it.each([
    ['a silence that is young', { ...proven, silentAt: silence(4, 2, 0) }],
    ['a worker that answers', { ...proven, answer: answered('alive') }],
    ['a worker that says it ends', { ...proven, answer: answered('not-askable') }],
    ['a message bus on which nobody answers', { another: known(false) }],
    ['a last question that somebody answered', { ...proven, confirmed: known<WorkerAnswer>('alive') }],
    ['one that LiveKit lists again', { ...proven, confirmed: known<WorkerAnswer>('not-askable') }],
  ])('ends nothing by %s', (_, news) => {
    const silentFleet = { fleet: unavailable, fleetInTheEnd: known(false), media: known(null) };
    expect(judgeGone(news, silentFleet)).toMatchObject({ do: 'wait' });
  });

  it('is not missing before its worker is silent, so that its room is given to nobody else', () => {
    const failed = after(active, { kind: 'recorder-lost', egressId: OTHER, media: null, at: at(3_000) });
    const sighting = { complete: true, egresses: [], at: NOW } as const;
    const alive = (news: Partial<WorkerEvidence>): unknown => {
      const said = judge(failed, { ...worker(news), sighting }, NOW);
      return said.do === 'apply' && said.fact.kind === 'egresses-listed' && said.fact.alive;
    };
    expect(alive({ heardAt: at(90_000) })).toEqual([ID]);
    expect(alive({ heardAt: at(90_000), silentAt: [at(95_000)] })).toEqual([]);
    expect(alive({})).toEqual([ID]);
    const look = (ms: number, some: readonly string[]): Fact => ({
      ...{ kind: 'egresses-listed', egresses: [], alive: some, at: at(ms) },
    });
    const late = after(
      aRecording(),
      sent,
      { kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) },
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(24_000) },
    );
    const times = [60_000, 65_000, 70_000, 75_000];
    const looked = (some: readonly string[]) => after(late, ...times.map((ms) => look(ms, some)));
    expect(looked([ID]).upkeep).toMatchObject({ holdsSlot: true, egresses: { [ID]: 'live' } });
    expect(looked([]).upkeep).toMatchObject({ holdsSlot: false, egresses: { [ID]: 'over' } });
  });

  it('is asked about by its worker alone, also while it ends', () => {
    const ending = after(active, { kind: 'stop-taken', egress: null, at: at(60_000) });
    const evidence = {
      ...worker({ heardAt: at(60_000), listed: known(null) }),
      looked: known(true as const),
    };
    expect(judge(ending, evidence, NOW)).toEqual({
      do: 'ask',
      question: { ask: 'worker', egressId: ID, listed: 'ACTIVE' },
    });
  });

  it('is not over by a stop that nobody could hear', () => {
    const judgeStop = (news: Partial<WorkerEvidence>, more: Partial<Evidence> = {}): Verdict => {
      const evidence = { ...NO_EVIDENCE, ...worker({ listed: known(null), ...news }), ...more };
      return verdictOfStopNotFound({
        recording: active,
        evidence: { ...evidence, stopNotFound: true, media: known(null) },
        now: NOW,
        limits: LIMITS,
      });
    };
    expect(judgeStop({ another: known(false) }, { fleet: unavailable })).toMatchObject({ do: 'wait' });
    expect(judgeStop({ another: known(false) }, { fleet: known(true) })).toMatchObject({
      question: { ask: 'worker-again', listed: null },
    });
    expect(judgeStop(proven)).toMatchObject({ fact: { kind: 'egress-gone', proof: 'not-found' } });
  });
});

describe('the verdict on a start', () => {
  const made = aRecording();
  const stored = { ...made, upkeep: { ...made.upkeep, startSentAt: null } };
  it('sends what nobody has sent, once in a run', () => {
    expect(judge(stored, {}, at(1_000))).toMatchObject({ do: 'wait' });
    const looked = known(true as const);
    expect(judge(stored, { looked }, at(2_000))).toEqual({ do: 'act', act: 'send-start' });
    expect(judge(stored, { looked, acted: ['send-start'] }, at(2_000))).toMatchObject({ do: 'wait' });
  });

  it('looks at LiveKit before: a Redis that was set back has forgotten what was sent', () => {
    for (const now of [at(2_000), at(20_000)])
      expect(judge(stored, {}, now)).toMatchObject({ do: 'ask', question: { ask: 'egresses' } });
    expect(judge(stored, { looked: unavailable }, at(2_000))).toMatchObject({ do: 'wait', until: at(4_000) });
  });

  it('looks at LiveKit before its time is over, and passes it all the same where LiveKit does not answer', () => {
    const waiting = after(stored, { ...sent, at: at(5) });
    expect(judge(waiting, {}, at(20_000))).toMatchObject({ do: 'ask', question: { ask: 'egresses' } });
    const over = { do: 'apply', fact: { kind: 'start-deadline-passed' }, cause: 'timeout' };
    expect(judge(waiting, { looked: unavailable }, at(20_000))).toMatchObject(over);
    expect(judge(waiting, { looked: known(true) }, at(20_000))).toMatchObject(over);
    expect(judge(waiting, { looked: known(true) }, at(19_999))).toMatchObject({ do: 'wait' });
  });
});

describe('the verdict on going on', () => {
  const lost = after(
    active,
    { kind: 'recorder-lost', egressId: ID, media: null, at: at(60_000) },
    { kind: 'media-looked-for', media: null, at: at(60_100) },
  );
  const wanted = { continuation: known({ wanted: true, endedInARow: 1 }) };
  const room = (news: object) =>
    known({
      open: true,
      sid: 'RM_000000000001',
      createdAtMs: 0,
      numPublishers: 1,
      activeRecording: false,
      ...news,
    } as const);

  it('starts in the session that was recorded, and in no other', () => {
    expect(judge(lost, { ...wanted, room: room({}) }, at(61_000))).toEqual({ do: 'act', act: 'continue' });
    const inSession = { ...lost, roomSid: 'RM_0' };
    expect(judge(inSession, { ...wanted, room: room({}) }, at(61_000))).toMatchObject({
      do: 'apply',
      fact: { kind: 'continuation-given-up' },
      reason: expect.stringContaining('another one'),
    });
  });

  it('waits for a publisher, and gives up when nobody comes back', () => {
    const empty = { ...wanted, room: room({ numPublishers: 0 }) };
    expect(judge(lost, empty, at(61_000))).toMatchObject({ do: 'wait', until: at(64_000) });
    expect(judge(lost, empty, at(60_000 + 600_001))).toMatchObject({
      do: 'apply',
      fact: { kind: 'continuation-given-up' },
    });
  });

  it('gives up where the room does not want it, and after seven in a row', () => {
    const given = { do: 'apply', fact: { kind: 'continuation-given-up' } };
    expect(judge(lost, { continuation: known({ wanted: false, endedInARow: 0 }) }, at(61_000))).toMatchObject(
      given,
    );
    expect(judge(lost, { continuation: known({ wanted: true, endedInARow: 7 }) }, at(61_000))).toMatchObject(
      given,
    );
  });

  it('is nothing once somebody has stopped it', () => {
    const stopped = after(lost, { kind: 'stop-requested', at: at(60_500) });
    expect(judge(stopped, { ...wanted, room: room({}) }, at(61_000))).toMatchObject({
      do: 'wait',
      until: null,
    });
  });
});

/** A made-up answer to whatever is asked. */
function answer(
  evidence: Evidence,
  question: Question,
  said: Readonly<Record<string, unknown>>,
  of = { now: NOW },
): Evidence {
  const given = <T>(value: T): Observed<T> =>
    said[question.ask] === 'unavailable' ? unavailable : known(value);
  const withWorker = (egressId: string, news: Partial<WorkerEvidence>): Evidence => ({
    ...evidence,
    workers: new Map(evidence.workers).set(egressId, {
      ...(evidence.workers.get(egressId) ?? UNKNOWN_WORKER),
      ...news,
    }),
  });
  switch (question.ask) {
    case 'egresses':
      return { ...evidence, looked: given(true as const) };
    case 'egress':
      return withWorker(question.egressId, {
        listed: given(
          said['egress'] === null ? null : anEgress(start, { status: said['egress'] as EgressStatus }),
        ),
      });
    case 'worker':
      return withWorker(question.egressId, {
        answer: given({ said: said['worker'] as WorkerAnswer, askedAs: question.listed }),
      });
    case 'worker-again':
      return withWorker(question.egressId, { confirmed: given(said['worker-again'] as WorkerAnswer) });
    case 'another-worker':
      return withWorker(question.egressId, { another: known(said['another-worker'] as boolean) });
    case 'fleet':
      return { ...evidence, fleet: given(said['fleet'] as boolean) };
    case 'fleet-in-the-end':
      return { ...evidence, fleetInTheEnd: given(said['fleet-in-the-end'] as boolean) };
    case 'room':
      return { ...evidence, room: given(said['room'] as never) };
    case 'publishers':
      return { ...evidence, publishes: given(said['publishers'] as boolean) };
    case 'media':
      return { ...evidence, media: given(null) };
    case 'segments': {
      const newest = said['segments'] as number | null;
      const recorderOut = said['recorderOut'] as boolean;
      const around =
        said['publishers'] === 'unavailable'
          ? unavailable
          : known({ isDue: said['publishers'] as boolean, recorderOut });
      const look = given({ at: of.now, newest, tookMs: said['tookMs'] as number, around });
      const { progress } = evidence.segments;
      const next = progressAfter(progress.state === 'known' ? progress.value : null, look, of.now);
      return { ...evidence, segments: { ...evidence.segments, look, progress: known(next) } };
    }
    case 'storing':
      return { ...evidence, segments: { ...evidence.segments, storing: given(said['storing'] as number) } };
    case 'segments-again': {
      const grewSince = given(said['segments-again'] as boolean);
      return { ...evidence, segments: { ...evidence.segments, grewSince } };
    }
    case 'continuation':
      return { ...evidence, continuation: given(said['continuation'] as never) };
  }
}

describe('the verdict, whatever is known', () => {
  const of = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | 'unavailable'> =>
    fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant('unavailable' as const) });
  const saying = fc.constantFrom<WorkerAnswer>('alive', 'silent', 'not-askable', 'not-known');
  const answers = fc.record({
    egresses: of(fc.constant(true)),
    egress: of(fc.constantFrom(...EGRESS_STATUSES, null)),
    worker: of(saying),
    'worker-again': of(saying),
    'another-worker': fc.boolean(),
    fleet: of(fc.boolean()),
    'fleet-in-the-end': of(fc.boolean()),
    room: of(
      fc.oneof(
        fc.constant({ open: false }),
        fc.record({
          open: fc.constant(true),
          sid: fc.constantFrom('RM_1', 'RM_2'),
          createdAtMs: fc.constant(0),
          numPublishers: fc.integer({ min: 0, max: 2 }),
          activeRecording: fc.boolean(),
        }),
      ),
    ),
    publishers: of(fc.boolean()),
    media: of(fc.constant(null)),
    crashProof: fc.boolean(),
    segments: of(fc.option(fc.constant(9), { nil: null })),
    tookMs: fc.constantFrom(50, 5_000),
    recorderOut: fc.boolean(),
    storing: of(fc.constantFrom(50, 5_000)),
    'segments-again': of(fc.boolean()),
    stillForMs: fc.constantFrom(null, 0, 10_000, 40_000),
    continuation: of(fc.record({ wanted: fc.boolean(), endedInARow: fc.integer({ min: 0, max: 8 }) })),
  });
  const silentAt = fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 6 });
  const remembered = fc.record({
    heardAt: fc.option(fc.integer({ min: -60_000, max: 0 }), { nil: null }),
    silentAt: silentAt.map((all) => all.toSorted((a, b) => a - b)),
    presence: fc.constantFrom('unknown' as const, 'seen' as const, 'left' as const),
  });

  /** A bucket that answered at once, and stored at once, had nothing new before and after, although something was due. */
  const isProvenBySegments = ({ segments: { look, storing, grewSince } }: Evidence): boolean =>
    look.state === 'known' &&
    look.value.newest === null &&
    look.value.tookMs === 50 &&
    look.value.around.state === 'known' &&
    look.value.around.value.isDue &&
    isDeepStrictEqual([storing, grewSince], [known(50), known(false)]);

  /** Judges with made-up answers until it waits; what is applied is applied. */
  function drive(
    facts: readonly Fact[],
    said: Readonly<Record<string, unknown>>,
    known_: Partial<WorkerEvidence>,
    laterMs: number,
    check: (said: Verdict, evidence: Evidence, recording: StoredRecording) => void,
  ): { recording: StoredRecording; evidence: Evidence; now: number; steps: number } {
    let recording = after(aRecording({ crashProof: said['crashProof'] === true }), sent, ...facts);
    const now = (facts.at(-1)?.at ?? T0) + laterMs;
    const stillFor = said['stillForMs'] as number | null;
    const progress =
      stillFor === null
        ? null
        : {
            ...{ newest: 5, grewAt: now - stillFor - 20_000, lookedAt: now - 10_000 },
            stillAt: [now - stillFor - 10_000, now - 10_000],
          };
    const segments = { ...NO_EVIDENCE.segments, progress: known(progress) };
    const shift = (ms: number): number => now - 60_000 + ms;
    const ofWorker = {
      ...UNKNOWN_WORKER,
      ...known_,
      heardAt: known_.heardAt == null ? null : shift(known_.heardAt),
      silentAt: (known_.silentAt ?? []).map(shift),
    };
    const workers = new Map([ID, OTHER].map((id) => [id, ofWorker]));
    let evidence: Evidence = { ...NO_EVIDENCE, segments, workers };
    for (let steps = 0; ; steps += 1) {
      const verdictNow = verdict({ recording, evidence, now, limits: LIMITS });
      check(verdictNow, evidence, recording);
      if (verdictNow.do === 'wait' || steps > 60) return { recording, evidence, now, steps };
      if (verdictNow.do === 'ask') evidence = answer(evidence, verdictNow.question, said, { now });
      else if (verdictNow.do === 'act')
        evidence = { ...evidence, acted: [...evidence.acted, verdictNow.act] };
      else {
        recording = after(recording, { ...verdictNow.fact, at: now } as Fact);
        evidence = { ...evidence, sighting: null };
      }
    }
  }

  const cases = [anyFacts(aRecording()), answers, remembered, fc.integer({ min: 0, max: 700_000 })] as const;

  it('comes to an end, and leaves nothing unsettled that nobody comes back to', () => {
    fc.assert(
      fc.property(...cases, (facts, said, known_, laterMs) => {
        const end = drive(facts, said, known_, laterMs, () => undefined);
        expect(end.steps).toBeLessThan(40);
        const until = nextTime({ ...end, limits: LIMITS });
        if (isUnsettled(end.recording)) expect(until).not.toBeNull();
        if (until !== null) expect(until).toBeGreaterThan(end.now - 1);
      }),
      { numRuns: 1_500 },
    );
  });

  it('never calls a worker lost that has answered in this run, nor without a control', () => {
    fc.assert(
      fc.property(...cases, (facts, said, known_, laterMs) => {
        drive(facts, said, known_, laterMs, (now, evidence) => {
          if (now.do !== 'apply' || now.fact.kind !== 'recorder-lost') return;
          const of_ = evidence.workers.get(now.fact.egressId)!;
          if (now.fact.stalledSince !== undefined || isProvenBySegments(evidence)) return;
          expect(of_.answer).toMatchObject({ value: { said: 'silent' } });
          expect(of_.confirmed).toEqual(known('silent'));
          expect(of_.silentAt.length).toBeGreaterThanOrEqual(3);
          const control =
            (of_.another.state === 'known' && of_.another.value) ||
            (evidence.fleet.state === 'known' && evidence.fleet.value) ||
            (evidence.fleetInTheEnd.state === 'known' && evidence.fleetInTheEnd.value) ||
            (evidence.room.state === 'known' && evidence.room.value.open && of_.presence !== 'unknown');
          expect(control).toBe(true);
        });
      }),
      { numRuns: 1_500 },
    );
  });

  it('never says that a pipeline stands still of a bucket that did not answer at once, or had something new', () => {
    let found = 0;
    fc.assert(
      fc.property(answers, fc.integer({ min: 40_000, max: 90_000 }), (said, laterMs) => {
        const facts = [accepted, becameActive];
        const likely = { ...said, crashProof: true, egress: 'ACTIVE' };
        drive(
          facts,
          likely,
          { heardAt: 59_000 },
          laterMs,
          (now, evidence, { crashProof, status, upkeep }) => {
            if (now.do !== 'apply' || now.fact.kind !== 'recorder-lost') return;
            if (now.fact.stalledSince === undefined) return;
            found += 1;
            expect([crashProof, upkeep.egresses[ID]]).toEqual([true, 'live']);
            expect(['ACTIVE', 'ENDING']).toContain(status);
            expect(evidence.workers.get(now.fact.egressId)?.silentAt).toEqual([]);
            expect(isProvenBySegments(evidence)).toBe(true);
          },
        );
      }),
      { numRuns: 3_000 },
    );
    expect(found).toBeGreaterThan(0);
  });

  it('leaves what a sweep has to count first to the sweep, and never goes on from what was stopped', () => {
    fc.assert(
      fc.property(...cases, (facts, said, known_, laterMs) => {
        drive(facts, said, known_, laterMs, (now, _evidence, recording) => {
          if (now.do === 'apply' && now.fact.kind === 'egress-gone')
            expect(Object.keys(recording.upkeep.egresses)).toEqual([]);
          if (now.do === 'act' && now.act === 'continue') expect(recording.upkeep.stopRequestedAt).toBeNull();
          if (now.do === 'ask' && now.question.ask === 'worker')
            expect(watchedEgresses(recording)).toContain(now.question.egressId);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('holds only what is in progress', () => {
    fc.assert(
      fc.property(anyFacts(aRecording()), fc.integer({ min: 0, max: 700_000 }), (facts, laterMs) => {
        const recording = after(aRecording(), sent, ...facts);
        const evidence = { ...NO_EVIDENCE, room: known({ open: false } as const) };
        const now = (facts.at(-1)?.at ?? T0) + laterMs;
        const of = { recording, evidence, now, limits: LIMITS };
        if (isFinal(recording.status))
          expect([isHeldEnd('GONE_EGRESS', of), isHeldEnd('STALE_RECORDING', of)]).toEqual([false, false]);
      }),
      { numRuns: 500 },
    );
  });
});
