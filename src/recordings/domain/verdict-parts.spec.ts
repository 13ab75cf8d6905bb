import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import { LIMITS } from '../../../test/support/limits.js';
import { after } from '../../../test/support/told.js';
import { TallyError } from '../../kernel/errors.js';
import type { EgressSeen, EgressStatus, WorkerAnswer } from '../../livekit/livekit.types.js';
import type { Case, Verdict } from './case.js';
import {
  type Evidence,
  known,
  NO_EVIDENCE,
  type RoomEvidence,
  UNKNOWN_WORKER,
  type WorkerEvidence,
} from './evidence.js';
import type { Fact } from './facts.js';
import type { StoredRecording } from './recording.js';
import {
  isHeldEnd,
  verdict,
  verdictOfHeldEnd,
  verdictOfLook,
  verdictOfSighting,
  verdictOfStopNotFound,
} from './verdict.js';

const ID = 'EG_000000000001';
const OTHER = 'EG_000000000002';
const at = (ms: number): number => T0 + ms;
const NOW = at(100_000);
const silence = (...secondsAgo: number[]): readonly number[] => secondsAgo.map((s) => NOW - s * 1_000);

const unavailable = {
  state: 'unavailable',
  error: new TallyError('LIVEKIT_UNAVAILABLE', 'it does not answer'),
} as const;
const looked: Pick<Evidence, 'looked'> = { looked: known(true) };
const unlooked: Pick<Evidence, 'looked'> = { looked: unavailable };

function caseOf(recording: StoredRecording, evidence: Partial<Evidence>, now: number): Case {
  return { recording, evidence: { ...NO_EVIDENCE, ...evidence }, now, limits: LIMITS };
}

function judge(recording: StoredRecording, evidence: Partial<Evidence>, now = NOW): Verdict {
  return verdict(caseOf(recording, evidence, now));
}

function workers(news: Readonly<Record<string, Partial<WorkerEvidence>>>): Pick<Evidence, 'workers'> {
  const each = Object.entries(news).map(([id, one]) => [id, { ...UNKNOWN_WORKER, ...one }] as const);
  return { workers: new Map(each) };
}

function room(news: Partial<Extract<RoomEvidence, { open: true }>> = {}): Pick<Evidence, 'room'> {
  const open = { open: true, sid: 'RM_000000000001', createdAtMs: 0 } as const;
  return { room: known({ ...open, numPublishers: 1, activeRecording: false, ...news }) };
}
const closedRoom: Pick<Evidence, 'room'> = { room: known({ open: false }) };

const unsent = aRecording({ upkeep: { startSentAt: null } });
const seen = (ms: number, status: EgressStatus, news: Partial<Omit<EgressSeen, 'file'>> = {}): Fact => ({
  ...{ kind: 'egress-seen', egress: anEgress(unsent, { ...news, status }), at: at(ms) },
});
const sending = (limitMs: number): Fact => ({
  ...{ kind: 'start-sending', by: 'i1', limitMs, windowMs: 15_000, at: at(5) },
});
const listedNone = (ms: number): Fact => ({ kind: 'egresses-listed', egresses: [], at: at(ms) });
const mediaLooked = (ms: number, sizeBytes: number | null): Fact => ({
  ...{ kind: 'media-looked-for', media: sizeBytes === null ? null : { sizeBytes }, at: at(ms) },
});
const timeOver: Fact = { kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) };

const sent = after(unsent, sending(25_000));
const accepted = after(sent, { kind: 'start-accepted', egress: anEgress(unsent), at: at(500) });
const active = after(accepted, seen(2_000, 'ACTIVE'));
const twice = after(active, seen(3_000, 'ACTIVE', { egressId: OTHER }));
const lost = after(active, { kind: 'recorder-lost', egressId: ID, media: null, at: at(60_000) });
const unanswered: Fact = { kind: 'start-unknown', answered: false, why: 'no answer', at: at(5_000) };
/** LiveKit said neither yes nor no, and has listed nothing of it ever since. */
const unheardOf = after(
  sent,
  { kind: 'start-unknown', answered: true, why: '503', at: at(500) },
  listedNone(6_000),
  listedNone(8_500),
);
const missing = (from: StoredRecording): StoredRecording =>
  after(from, listedNone(80_000), listedNone(85_000), listedNone(90_000));

const asks = (question: object) => ({ do: 'ask', question });
const applies = (fact: object) => ({ do: 'apply', fact });
const waits = (until: number | null) => ({ do: 'wait', until });

describe('a start that nobody has sent', () => {
  it('has failed once its time is over, and is not sent any more', () => {
    const over = applies({ kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) });
    expect(judge(unsent, looked, at(20_000))).toMatchObject(over);
    expect(judge(unsent, unlooked, at(20_000))).toMatchObject(over);
    expect(judge(unsent, looked, at(19_999))).toEqual({ do: 'act', act: 'send-start' });
  });

  it('is come back to within moments, and later where LiveKit does not answer', () => {
    expect(judge(unsent, {}, at(1_000))).toEqual(waits(at(1_400)));
    expect(judge(unsent, looked, at(1_000))).toEqual(waits(at(1_400)));
    expect(judge(unsent, unlooked, at(1_000))).toEqual(waits(at(3_000)));
  });

  it('has no time to keep once it was cancelled, and is settled by whoever would send it', () => {
    const cancelled = after(unsent, { kind: 'start-cancelled', at: at(500) });
    expect(judge(cancelled, {}, at(700))).toEqual(waits(at(1_100)));
    expect(judge(cancelled, looked, at(30_000))).toEqual({ do: 'act', act: 'send-start' });
  });
});

describe('a look at LiveKit', () => {
  it.each([
    ['what is left of the time of a start, and of one request', 3_000, 22_000],
    ['one request alone once the time of its start is over', 21_000, 5_000],
  ])('is waited for during %s', (_, ms, withinMs) => {
    const question = asks({ ask: 'egresses', withinMs });
    expect(judge(accepted, {}, at(ms))).toEqual(question);
    expect(verdictOfLook(caseOf(accepted, {}, at(ms)))).toEqual(question);
  });

  it('is waited for as long as it takes where no start has a time to keep', () => {
    const ending = after(active, { kind: 'stop-taken', egress: null, at: at(60_000) });
    expect(judge(ending, {})).toEqual(asks({ ask: 'egresses' }));
  });

  it('comes again after a third of the time since the request, or soon where LiveKit did not answer', () => {
    expect(judge(accepted, looked, at(3_000))).toEqual(waits(at(4_000)));
    expect(judge(accepted, unlooked, at(3_000))).toEqual(waits(at(5_000)));
  });
});

describe('an active recording', () => {
  it('is ended when its maximum duration is over, and waited for until then', () => {
    const maximum = 2_000 + 3_600_000;
    const answers = workers({ [ID]: { heardAt: at(maximum - 100) } });
    expect(judge(active, answers, at(maximum - 1))).toEqual(waits(at(maximum)));
    expect(judge(active, answers, at(maximum))).toMatchObject({
      ...applies({ kind: 'duration-limit-passed', at: at(maximum) }),
      cause: 'limit',
    });
  });
});

describe('what LiveKit showed of an egress', () => {
  const leaving = (news: Partial<Omit<EgressSeen, 'file'>> = {}): EgressSeen =>
    anEgress(unsent, { status: 'ENDING', endCause: 'source-closed', ...news });
  const sighting = (complete: boolean, ...egresses: EgressSeen[]) => ({
    sighting: { complete, egresses, at: at(99_000) },
  });
  const sighted = (evidence: Partial<Evidence>, of = active): Verdict =>
    verdictOfSighting(caseOf(of, evidence, NOW));

  it('is taken over as one report, or as all that there is', () => {
    const egress = anEgress(unsent, { status: 'ACTIVE' });
    expect(sighted(sighting(false, egress))).toMatchObject(
      applies({ kind: 'egress-seen', egress, room: 'over', at: NOW }),
    );
    expect(sighted(sighting(true, egress))).toMatchObject(
      applies({ kind: 'egresses-listed', egresses: [egress], alive: [ID], at: at(99_000) }),
    );
  });

  it('says nothing where it is one report of no egress', () => {
    expect(sighted(sighting(false))).toEqual(waits(null));
  });

  it('waits for its room where its source closed, and for who publishes there while that is open', () => {
    const left = sighting(false, leaving());
    expect(sighted(left)).toEqual(asks({ ask: 'room' }));
    expect(sighted({ ...left, ...room() })).toEqual(asks({ ask: 'publishers' }));
    expect(sighted({ ...left, ...room({ numPublishers: 0 }) })).toEqual(asks({ ask: 'publishers' }));
    const unnamed = sighting(false, leaving({ roomSid: null }));
    expect(sighted({ ...unnamed, ...room({ sid: 'RM_2' }) })).toEqual(asks({ ask: 'publishers' }));
  });

  it.each<[string, Partial<Evidence>, string]>([
    ['goes on while somebody publishes', { ...room(), publishes: known(true) }, 'goes-on'],
    ['is over when nobody publishes', { ...room(), publishes: known(false) }, 'over'],
    ['is over when its room is closed', closedRoom, 'over'],
    ['is over when another session is in its room', room({ sid: 'RM_2' }), 'over'],
  ])('says that the meeting %s', (_, around, said) => {
    const fact = applies({ kind: 'egress-seen', room: said });
    expect(sighted({ ...sighting(false, leaving()), ...around })).toMatchObject(fact);
  });

  it.each<[string, Partial<Evidence>]>([
    ['its room', { room: unavailable }],
    ['who publishes', { ...room(), publishes: unavailable }],
  ])('is kept for a moment while LiveKit does not say anything of %s', (_, around) => {
    const evidence = { ...sighting(false, leaving()), ...around };
    expect(sighted(evidence)).toEqual(waits(null));
    const answers = workers({ [ID]: { heardAt: at(99_000) } });
    expect(judge(active, { ...evidence, ...answers })).toEqual(waits(at(102_000)));
  });

  it('needs no room where the recording is over', () => {
    const fact = applies({ kind: 'egress-seen', room: 'over' });
    expect(sighted(sighting(false, leaving()), lost)).toMatchObject(fact);
  });
});

describe('a start of which LiveKit lists nothing', () => {
  it('has failed after enough looks, with what the bucket has', () => {
    expect(judge(unheardOf, {}, at(9_000))).toMatchObject(asks({ ask: 'egresses' }));
    expect(judge(unheardOf, looked, at(9_000))).toEqual(asks({ ask: 'media' }));
    for (const media of [null, { sizeBytes: 7 }])
      expect(judge(unheardOf, { ...looked, media: known(media) }, at(9_000))).toMatchObject(
        applies({ kind: 'egress-gone', proof: 'absence', media, at: at(9_000) }),
      );
  });

  it.each<[string, StoredRecording, Partial<Evidence>, number]>([
    ['its last look failed', unheardOf, unlooked, 9_000],
    ['the bucket does not answer', unheardOf, { ...looked, media: unavailable }, 9_000],
    ['it has failed already', after(unheardOf, timeOver), looked, 21_000],
    ['LiveKit may list it yet', after(sent, listedNone(6_000), listedNone(8_500)), looked, 9_000],
  ])('is not said to have failed while %s', (_, recording, evidence, ms) => {
    expect(judge(recording, evidence, at(ms))).toMatchObject({ do: 'wait' });
    expect(verdictOfLook(caseOf(recording, evidence, at(ms)))).toEqual(waits(null));
  });

  it('is none where its egress was known: that one is left to the sweep', () => {
    const evidence = { ...looked, ...workers({ [ID]: { heardAt: at(95_000) } }) };
    expect(judge(missing(active), evidence)).toMatchObject({ do: 'wait' });
  });
});

describe('an egress that LiveKit has forgotten', () => {
  const silent = { silentAt: silence(17, 9, 1) };
  const saidNothing = known({ said: 'silent' as WorkerAnswer, askedAs: 'ACTIVE' as EgressStatus });
  const isGone = (recording: StoredRecording, evidence: Partial<Evidence>): boolean =>
    isHeldEnd('GONE_EGRESS', caseOf(recording, evidence, NOW));
  const judgeGone = (news: Partial<WorkerEvidence>, more: Partial<Evidence> = {}): Verdict => {
    const evidence = { ...workers({ [ID]: { ...silent, ...news } }), ...more };
    return verdictOfHeldEnd('GONE_EGRESS')(caseOf(missing(active), evidence, NOW));
  };

  it.each<[string, StoredRecording, boolean]>([
    ['gone after enough looks', missing(active), true],
    ['not gone after few looks', after(active, listedNone(80_000), listedNone(90_000)), false],
    ['not gone while it is listed', active, false],
    ['not gone where there never was one', unheardOf, false],
  ])('is %s', (_, recording, gone) => {
    expect(isGone(recording, workers({ [ID]: silent }))).toBe(gone);
  });

  it('is not gone while the worker of another egress of its recording may live', () => {
    const both = missing(twice);
    expect(isGone(both, workers({ [ID]: silent, [OTHER]: silent }))).toBe(true);
    expect(isGone(both, workers({ [ID]: silent, [OTHER]: { heardAt: at(95_000) } }))).toBe(false);
    expect(isGone(both, workers({ [OTHER]: silent }))).toBe(false);
  });

  it('is asked for at its worker before it is ended', () => {
    expect(judgeGone({})).toEqual(asks({ ask: 'worker', egressId: ID, listed: 'ACTIVE' }));
    expect(judgeGone({ answer: unavailable })).toEqual(waits(null));
  });

  it('is compared with others since its last silence, for as long as LiveKit takes to say that nobody is there', () => {
    const since = NOW - 1_000;
    const another = asks({ ask: 'another-worker', egressId: ID, since });
    expect(judgeGone({ answer: saidNothing })).toEqual(another);
    const alone = { answer: saidNothing, another: known(false) };
    expect(judgeGone(alone)).toEqual(asks({ ask: 'fleet', since }));
    expect(judgeGone(alone, { fleet: unavailable })).toEqual(asks({ ask: 'fleet-in-the-end', since }));
  });

  it('is not ended before the bucket can be asked', () => {
    const proven = { answer: saidNothing, another: known(true), confirmed: known<WorkerAnswer>('silent') };
    expect(judgeGone(proven, { media: unavailable })).toEqual(waits(null));
  });
});

describe('a recording of a room that is deserted', () => {
  const LATE = 2_000 + LIMITS.staleAfterMs + 1;
  const stale = (evidence: Partial<Evidence>, ms = LATE, of = active): Verdict =>
    verdictOfHeldEnd('STALE_RECORDING')(caseOf(of, evidence, at(ms)));

  it.each([
    ['is closed', closedRoom],
    ['has nobody who publishes', room({ numPublishers: 0 })],
  ])('is over after a long silence where its room %s, with what the bucket has', (_, around) => {
    expect(isHeldEnd('STALE_RECORDING', caseOf(active, around, at(LATE)))).toBe(true);
    expect(stale(around)).toEqual(asks({ ask: 'media' }));
    const media = { sizeBytes: 7 };
    expect(stale({ ...around, media: known(media) })).toMatchObject(
      applies({ kind: 'egress-gone', proof: 'silence', media, at: at(LATE) }),
    );
  });

  it.each<[string, number, Partial<Evidence>]>([
    ['it has reported within STALE_AFTER', LATE - 1, closedRoom],
    [
      'its worker has answered within STALE_AFTER',
      LATE,
      { ...closedRoom, ...workers({ [ID]: { heardAt: at(2_001) } }) },
    ],
    ['somebody publishes', LATE, room()],
    ['its room is not known', LATE, { room: unavailable }],
    ['the bucket does not answer', LATE, { ...closedRoom, media: unavailable }],
  ])('goes on while %s', (_, ms, evidence) => {
    expect(stale({ media: known(null), ...evidence }, ms)).toEqual(waits(null));
  });

  it('is judged by its last words, and not by what LiveKit lists no more', () => {
    const forgotten = { ...closedRoom, ...workers({ [ID]: { silentAt: silence(17, 9, 1) } }) };
    expect(isHeldEnd('STALE_RECORDING', caseOf(missing(active), forgotten, NOW))).toBe(false);
    expect(isHeldEnd('GONE_EGRESS', caseOf(missing(active), forgotten, NOW))).toBe(true);
  });
});

describe('a stop that LiveKit knows no egress for', () => {
  const proven = { listed: known(null), another: known(true), confirmed: known<WorkerAnswer>('silent') };
  const stop = (news: Partial<WorkerEvidence>, more: Partial<Evidence> = {}, of = active): Verdict => {
    const evidence = { stopNotFound: true, media: known(null), ...workers({ [ID]: news }), ...more };
    return verdictOfStopNotFound(caseOf(of, evidence, NOW));
  };

  it('ends a recording once LiveKit and everybody else say the same of its egress', () => {
    expect(stop({})).toEqual(asks({ ask: 'egress', egressId: ID }));
    const another = { ask: 'another-worker', egressId: ID, since: NOW };
    expect(stop({ listed: known(null) })).toEqual(asks(another));
    expect(stop(proven)).toMatchObject(applies({ kind: 'egress-gone', proof: 'not-found', at: NOW }));
  });

  const stillListed = known(anEgress(unsent, { status: 'ACTIVE' }));
  it.each<[string, Partial<WorkerEvidence>, Partial<Evidence>, StoredRecording]>([
    ['that it lists all the same', { ...proven, listed: stillListed }, {}, active],
    ['that it could not be asked about', { ...proven, listed: unavailable }, {}, active],
    ['whose media the bucket does not tell', proven, { media: unavailable }, active],
    ['that it did stop', proven, { stopNotFound: false }, active],
    ['that nobody has seen', proven, {}, sent],
    ['that is over already', proven, {}, lost],
  ])('ends nothing of an egress %s', (_, news, more, of) => {
    expect(stop(news, more, of)).toEqual(waits(null));
  });
});

describe('media that nobody has reported', () => {
  const failed = after(accepted, seen(3_000, 'FAILED'));

  it('is looked for when all is over, again and again while the bucket does not answer', () => {
    expect(judge(failed, looked)).toEqual(asks({ ask: 'media' }));
    expect(judge(failed, { ...looked, media: unavailable })).toEqual(waits(NOW + 2_000));
    expect(judge(failed, { ...looked, media: known(null) })).toMatchObject(
      applies({ kind: 'media-looked-for', media: null, at: NOW }),
    );
    expect(judge(after(failed, mediaLooked(100_000, null)), {})).toEqual(waits(null));
  });

  it('is not looked for where a start was refused, however long ago', () => {
    const refused: Fact = { kind: 'start-refused', why: 'no', credentials: false, at: at(500) };
    expect(judge(after(sent, refused), {}, at(LIMITS.staleAfterMs * 2))).toEqual(waits(null));
  });

  it('is not looked for while one of two egresses answers', () => {
    const late = at(20_000 + LIMITS.staleAfterMs + 1);
    const both = after(accepted, seen(3_000, 'ACTIVE', { egressId: OTHER }), timeOver);
    const silent = { silentAt: [late - 16_000, late - 8_000, late] };
    const of = (other: Partial<WorkerEvidence>) => ({
      ...looked,
      ...workers({ [ID]: silent, [OTHER]: other }),
    });
    expect(judge(both, of(silent), late)).toEqual(asks({ ask: 'media' }));
    expect(judge(both, of({ heardAt: late - 1_000 }), late)).toMatchObject({ do: 'wait' });
  });
});

describe('a deletion that is carried out by whoever asked for it', () => {
  const wanted = (ms: number): Fact => ({ kind: 'deletion-requested', by: 'admin', at: at(ms) });
  const done = after(active, seen(60_000, 'COMPLETE'), wanted(70_000));

  it('is taken over once nobody can be on it any more, and once in a run', () => {
    expect(judge(done, looked, at(99_999))).toMatchObject({ do: 'wait' });
    expect(judge(done, looked, at(100_000))).toEqual({ do: 'act', act: 'finish-deletion' });
    const taken = { ...looked, acted: ['finish-deletion'] as const };
    expect(judge(done, taken, at(100_000))).toMatchObject({ do: 'wait' });
  });

  it('leaves nothing to do once it is done', () => {
    expect(judge(after(done, { kind: 'deleted', at: at(71_000) }), {}, at(200_000))).toEqual(waits(null));
  });

  it('has its own time while a start may show in the lists for minutes: its due time, and then every ten seconds', () => {
    const slow = after(unsent, sending(600_000), unanswered, timeOver);
    expect(judge(after(slow, wanted(120_000)), looked, at(121_000))).toEqual(waits(at(150_000)));
    const taken = { ...looked, acted: ['finish-deletion'] as const };
    expect(judge(after(slow, wanted(120_000)), taken, at(160_000))).toEqual(waits(at(170_000)));
  });
});

describe('a meeting that is to be recorded further', () => {
  const left = after(lost, mediaLooked(60_100, null));
  /** The bucket had its media after all, which is a change of its own. */
  const found = after(lost, mediaLooked(63_000, 7));
  const terms = (endedInARow: number) => ({ continuation: known({ wanted: true, endedInARow }) });

  it('is recorded further at once the first time, and once in a run', () => {
    const evidence = { ...terms(1), ...room() };
    expect(judge(left, evidence, at(60_200))).toEqual({ do: 'act', act: 'continue' });
    expect(judge(left, { ...evidence, acted: ['continue'] }, at(60_200))).toEqual(waits(at(63_200)));
  });

  it.each([
    ['', left],
    [', and not with what was found of it later', found],
  ])('waits longer the more recordings ended in a row, beginning with its end%s', (_, recording) => {
    const third = { ...terms(3), ...room() };
    expect(judge(recording, third, at(63_500))).toEqual(waits(at(70_000)));
    expect(judge(recording, third, at(69_999))).toEqual(waits(at(72_999)));
    expect(judge(recording, third, at(70_000))).toEqual({ do: 'act', act: 'continue' });
  });

  it('needs its terms and its room, and is tried again where either is not known', () => {
    expect(judge(left, {}, at(61_000))).toEqual(asks({ ask: 'continuation' }));
    expect(judge(left, { continuation: unavailable }, at(61_000))).toEqual(waits(at(64_000)));
    expect(judge(left, terms(1), at(61_000))).toEqual(asks({ ask: 'room' }));
    expect(judge(left, { ...terms(1), room: unavailable }, at(61_000))).toEqual(waits(at(64_000)));
  });
});
