import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import { LIMITS } from '../../../test/support/limits.js';
import { TallyError } from '../../kernel/errors.js';
import type { EgressStatus, WorkerAnswer } from '../../livekit/livekit.types.js';
import type { Question, Verdict } from './case.js';
import {
  type Evidence,
  firstUnavailable,
  known,
  type MediaProgress,
  NO_EVIDENCE,
  NOT_ASKED,
  type Observed,
  type RoomEvidence,
  UNKNOWN_WORKER,
  type WorkerEvidence,
} from './evidence.js';
import type { StoredRecording } from './recording.js';
import { verdict, verdictOfHeldEnd, verdictOfStopNotFound } from './verdict.js';
import { workerTime } from './worker-verdict.js';

const ID = 'EG_000000000001';
const OTHER = 'EG_000000000002';
const NOW = T0 + 1_000_000;
const ago = (seconds: number): number => NOW - seconds * 1_000;
const unavailable = {
  state: 'unavailable',
  error: new TallyError('LIVEKIT_UNAVAILABLE', 'LiveKit does not answer'),
} as const;
const active = aRecording({
  ...{ status: 'ACTIVE', egressId: ID, startedAt: T0 + 2_000, roomSid: 'RM_1' },
  upkeep: {
    ...{ egresses: { [ID]: 'live' }, startAnswer: 'accepted', startResult: 'ACTIVE' },
    activeSince: T0 + 2_000,
  },
});
/** It has a second egress, which was never named to be the recording. */
const withTwo: StoredRecording = {
  ...active,
  upkeep: { ...active.upkeep, egresses: { [ID]: 'live', [OTHER]: 'live' } },
};
const ending: StoredRecording = { ...active, status: 'ENDING', endReason: 'LIMIT_REACHED' };
const listedAs = (status: EgressStatus) => known(anEgress(active, { status }));
const said = (answer: WorkerAnswer, askedAs: EgressStatus = 'ACTIVE') => known({ said: answer, askedAs });
const looked = { looked: known(true as const) };

interface Known extends Partial<Evidence> {
  readonly of?: StoredRecording;
  readonly worker?: Partial<WorkerEvidence>;
  readonly other?: Partial<WorkerEvidence>;
}

function evidenceOf({ of: _of, worker, other, ...more }: Known): Evidence {
  const workers = new Map([
    [ID, { ...UNKNOWN_WORKER, ...worker }],
    [OTHER, { ...UNKNOWN_WORKER, ...other }],
  ]);
  return { ...NO_EVIDENCE, workers, ...more };
}

function judge(of: Known, by: typeof verdict = verdict): Verdict {
  return by({ recording: of.of ?? active, evidence: evidenceOf(of), now: NOW, limits: LIMITS });
}

/** What is asked next, or what else is said. */
function asked(of: Known, by: typeof verdict = verdict): Question | Verdict {
  const found = judge(of, by);
  return found.do === 'ask' ? found.question : found;
}

function timeOf(egressId: string, of: Known): number {
  return workerTime(
    { recording: of.of ?? active, evidence: evidenceOf(of), now: NOW, limits: LIMITS },
    egressId,
  );
}

describe('the time at which a worker is asked', () => {
  it.each<[string, number, Known]>([
    ['that was heard is the usual one after it', ago(-6), { worker: { heardAt: ago(4) } }],
    [
      'that was silent once comes sooner, and is counted from the silence',
      ago(-3),
      { worker: { heardAt: ago(9), silentAt: [ago(2)] } },
    ],
    [
      'that was silent several times is counted from the last silence',
      ago(-4),
      { worker: { heardAt: ago(30), silentAt: [ago(12), ago(7), ago(1)] } },
    ],
    [
      'that was never asked is counted from when its egress became active',
      ago(-7),
      { of: { ...active, upkeep: { ...active.upkeep, activeSince: ago(3) } } },
    ],
    [
      'that was never asked, and of which nothing says when it became active, is counted from its request',
      ago(-8),
      {
        of: aRecording({
          ...{ status: 'ACTIVE', egressId: ID, requestedAt: ago(2) },
          upkeep: { egresses: { [ID]: 'live' } },
        }),
      },
    ],
    [
      'that had its turn in this run, and of which nothing could be learned, is the usual one from now on',
      ago(-10),
      { worker: { heardAt: ago(11), answer: unavailable } },
    ],
    [
      'that was silent, and could not be asked in this run, is the sooner one from now on',
      ago(-5),
      { worker: { heardAt: ago(30), silentAt: [ago(6)], answer: unavailable } },
    ],
  ])('%s', (_, time, of) => {
    expect(timeOf(ID, of)).toBe(time);
    expect(judge(of)).toEqual({ do: 'wait', until: time });
  });

  it('comes at once after a loss of Redis, whatever was reported before', () => {
    const returned = { number: 1, rev: 1, copyAt: ago(60) };
    const of = { ...active, upkeep: { ...active.upkeep, activeSince: ago(3), returned } };
    expect(asked({ of })).toEqual({ ask: 'worker', egressId: ID, listed: 'ACTIVE' });
  });

  it('comes at once after what happened in its room, unless it was asked since', () => {
    const nudged = (worker: Partial<WorkerEvidence>): unknown => asked({ worker });
    const now = { ask: 'worker', egressId: ID, listed: 'ACTIVE' };
    expect(nudged({ heardAt: ago(5), nudgedAt: ago(4) })).toEqual(now);
    expect(nudged({ heardAt: ago(3), nudgedAt: ago(4) })).toEqual({ do: 'wait', until: ago(-7) });
    expect(nudged({ heardAt: ago(9), silentAt: [ago(3)], nudgedAt: ago(4) })).toEqual({
      ...{ do: 'wait', until: ago(-2) },
    });
  });

  it('comes at once after what happened in its room where it was never asked', () => {
    const of = { ...active, upkeep: { ...active.upkeep, activeSince: ago(3) } };
    expect(asked({ of, worker: { nudgedAt: ago(1) } })).toEqual({
      ...{ ask: 'worker', egressId: ID, listed: 'ACTIVE' },
    });
  });

  it('comes sooner of the egress whose segments do not come, and of no other one', () => {
    const still = (newest: number | null): Known => {
      const progress: MediaProgress = { newest, grewAt: ago(9), lookedAt: NOW, stillAt: [NOW] };
      return {
        of: { ...withTwo, crashProof: true },
        ...{ worker: { heardAt: ago(1) }, other: { heardAt: ago(1) } },
        segments: { ...NO_EVIDENCE.segments, progress: known(progress) },
      };
    };
    expect(timeOf(ID, still(7))).toBe(ago(-4));
    expect(timeOf(OTHER, still(7))).toBe(ago(-9));
    // One of which no segment ever came may write them where nobody looks.
    expect(timeOf(ID, still(null))).toBe(ago(-9));
  });
});

describe('the question to a worker', () => {
  const due = { heardAt: ago(11) };

  it('is none while LiveKit could not be asked, or it has answered in this run', () => {
    expect(judge({ worker: { ...due, answer: unavailable } })).toEqual({ do: 'wait', until: ago(-10) });
    expect(judge({ worker: { heardAt: NOW, answer: said('alive') } })).toEqual({
      ...{ do: 'wait', until: ago(-10) },
    });
  });

  it('is put to each of them when its own time has come', () => {
    const found = asked({ of: withTwo, worker: { heardAt: ago(1) }, other: due, ...looked });
    expect(found).toEqual({ ask: 'egress', egressId: OTHER });
  });

  it.each<[string, string, StoredRecording]>([
    ['a second egress', OTHER, withTwo],
    ['the egress of a recording that ends', ID, ending],
  ])('depends for %s on the status that LiveKit lists', (_, egressId, of) => {
    const found = (listed: WorkerEvidence['listed']): unknown => {
      const worker = { ...due, listed };
      return asked({
        ...{ of, ...looked },
        ...(egressId === ID ? { worker } : { worker: { heardAt: ago(1) }, other: worker }),
      });
    };
    expect(found(NOT_ASKED)).toEqual({ ask: 'egress', egressId });
    expect(found(listedAs('ENDING'))).toEqual({ ask: 'worker', egressId, listed: 'ENDING' });
    expect(found(known(null))).toEqual({ ask: 'worker', egressId, listed: 'ACTIVE' });
    expect(found(listedAs('COMPLETE'))).toMatchObject({ do: 'wait' });
    expect(found(unavailable)).toMatchObject({ do: 'wait' });
  });

  it('has all that LiveKit lists looked at first, where it depends on that', () => {
    expect(asked({ of: withTwo, worker: { heardAt: ago(1) }, other: due })).toEqual({ ask: 'egresses' });
  });

  it('is put once more where LiveKit refused it, with the status that it lists', () => {
    const refused = (more: Known): unknown =>
      asked({ ...more, worker: { ...due, answer: said('not-askable'), ...more.worker } });
    expect(refused({})).toEqual({ ask: 'egresses' });
    expect(refused(looked)).toEqual({ ask: 'egress', egressId: ID });
    expect(refused({ ...looked, worker: { listed: listedAs('ENDING') } })).toEqual({
      ...{ ask: 'worker', egressId: ID, listed: 'ENDING' },
    });
    expect(refused({ ...looked, worker: { listed: listedAs('ACTIVE') } })).toMatchObject({ do: 'wait' });
    expect(refused({ ...looked, worker: { listed: listedAs('FAILED') } })).toMatchObject({ do: 'wait' });
  });
});

const longSilent = {
  ...{ heardAt: ago(40), silentAt: [ago(17), ago(9), ago(1)] },
  ...{ answer: said('silent'), listed: listedAs('ACTIVE') },
};
const confirmed = known<WorkerAnswer>('silent');
const proven = { ...longSilent, another: known(true), confirmed };

describe('a worker that has been silent for long', () => {
  it.each<[string, Observed<{ sizeBytes: number } | null>, { sizeBytes: number } | null]>([
    ['what the bucket has of it', known({ sizeBytes: 7 }), { sizeBytes: 7 }],
    ['nothing of a bucket that has nothing', known(null), null],
    ['nothing of a bucket that does not answer', unavailable, null],
  ])('is lost with %s', (_, media, found) => {
    expect(judge({ worker: proven, media })).toEqual({
      ...{ do: 'apply', cause: 'recorder-check' },
      fact: { kind: 'recorder-lost', egressId: ID, media: found, at: NOW },
      reason: `its worker has not answered since ${new Date(ago(17)).toISOString()}, while other workers answer`,
    });
  });

  it('is asked about in order: another worker since its last silence, the fleet, and the fleet in the end', () => {
    const since = ago(1);
    const alone = { ...longSilent, another: known(false) };
    expect(asked({ worker: longSilent })).toEqual({ ask: 'another-worker', egressId: ID, since });
    expect(asked({ worker: alone })).toEqual({ ask: 'fleet', since });
    const patient = { ask: 'fleet-in-the-end', since };
    expect(asked({ worker: alone, fleet: known(false) })).toEqual(patient);
    expect(asked({ worker: alone, fleet: unavailable })).toEqual(patient);
  });

  it.each<[string, Partial<Evidence>]>([
    ['the fleet answers', { fleet: known(true) }],
    ['the fleet answers in the end', { fleet: unavailable, fleetInTheEnd: known(true) }],
  ])('is asked once more after %s, and lost if it is silent then', (_, fleet) => {
    const alone = { ...longSilent, another: known(false) };
    const again = { ask: 'worker-again', egressId: ID, listed: 'ACTIVE' };
    expect(asked({ worker: alone, ...fleet })).toEqual(again);
    expect(judge({ worker: { ...alone, confirmed }, ...fleet, media: known(null) })).toMatchObject({
      ...{ do: 'apply', fact: { kind: 'recorder-lost' } },
      reason: expect.stringContaining('while other workers answer') as string,
    });
  });

  it.each<[string, Known]>([
    ['it can not be found out whether another one answers', { worker: { another: unavailable } }],
    ['nobody answers in the end', { worker: { another: known(false) }, fleetInTheEnd: known(false) }],
    [
      'it can not be found out in the end whether anybody answers',
      { worker: { another: known(false) }, fleetInTheEnd: unavailable },
    ],
    ['its last question failed', { worker: { another: known(true), confirmed: unavailable } }],
    ['its egress has ended', { worker: { ...proven, listed: listedAs('COMPLETE') } }],
  ])('is not lost where %s', (_, { worker, ...more }) => {
    expect(
      judge({ fleet: known(false), ...more, worker: { ...longSilent, ...worker }, media: known(null) }),
    ).toMatchObject({ do: 'wait' });
  });
});

describe('a recorder that is out of the room while its worker is silent', () => {
  const open = { open: true, sid: 'RM_1', createdAtMs: 0, numPublishers: 2, activeRecording: false } as const;
  const room = (more: Partial<Extract<RoomEvidence, { open: true }>> = {}) =>
    known<RoomEvidence>({ ...open, ...more });
  const left = { ...longSilent, another: known(false), presence: 'left' } as const;
  const seen = { ...left, presence: 'seen' } as const;
  const noFleet = { fleet: known(false) };
  const again = { ask: 'worker-again', egressId: ID, listed: 'ACTIVE' };
  const inTheEnd = { ask: 'fleet-in-the-end', since: ago(1) };

  it('has its room looked at, where it was ever seen there', () => {
    expect(asked({ worker: left, ...noFleet })).toEqual({ ask: 'room' });
    expect(asked({ worker: seen, ...noFleet })).toEqual({ ask: 'room' });
    expect(asked({ worker: { ...left, presence: 'unknown' }, ...noFleet })).toEqual(inTheEnd);
  });

  it.each<[string, Known]>([
    ['it has left, although the room is still shown as recorded', { worker: left }],
    ['it was seen, and the room is shown as not recorded', { worker: seen, room: room() }],
    [
      'it has left a room whose session was never named',
      { worker: left, of: { ...active, roomSid: null }, room: room() },
    ],
  ])('shows that its worker could answer: %s', (_, of) => {
    const known_ = { room: room({ activeRecording: true }), ...noFleet, ...of };
    expect(asked(known_)).toEqual(again);
    expect(judge({ ...known_, worker: { ...of.worker, confirmed }, media: known(null) })).toMatchObject({
      ...{ do: 'apply', fact: { kind: 'recorder-lost', egressId: ID } },
      reason: expect.stringContaining('its recorder has left a room in which people publish') as string,
    });
  });

  it.each<[string, Known]>([
    [
      'it was seen, and the room is shown as recorded',
      { worker: seen, room: room({ activeRecording: true }) },
    ],
    ['nobody publishes in the room', { room: room({ numPublishers: 0 }) }],
    ['the room is closed', { room: known({ open: false }) }],
    ['the room could not be looked at', { room: unavailable }],
    ['another session is in the room', { room: room({ sid: 'RM_2' }) }],
    [
      'the room is closed, and its session was never named',
      { room: known({ open: false }), of: { ...active, roomSid: null } },
    ],
    ['its egress ends', { worker: { ...left, listed: listedAs('ENDING') }, room: room() }],
  ])('shows nothing, and the fleet is asked in the end, where %s', (_, of) => {
    expect(asked({ worker: left, ...noFleet, ...of })).toEqual(inTheEnd);
  });

  it('shows nothing of an egress that LiveKit no longer lists', () => {
    const absence = { looks: 3, firstAt: ago(20), lastAt: ago(10) };
    const missing = { ...active, upkeep: { ...active.upkeep, absence } };
    const forgotten = { worker: { ...left, listed: known(null) }, ...noFleet, room: room() };
    expect(asked({ ...forgotten, of: missing }, verdictOfHeldEnd('GONE_EGRESS'))).toEqual(inTheEnd);
    // Whoever stops it does not wait for the fleet in the end.
    expect(judge({ ...forgotten, stopNotFound: true }, verdictOfStopNotFound)).toEqual({
      ...{ do: 'wait', until: null },
    });
  });
});

describe('what is known at the beginning of a run', () => {
  it('says nothing of a stop: nothing is asked for it', () => {
    expect(judge({}, verdictOfStopNotFound)).toEqual({ do: 'wait', until: null });
  });
});

describe('what could not be asked', () => {
  it.each<[string, Known]>([
    ['all that LiveKit lists', { looked: unavailable }],
    ['the room', { room: unavailable }],
    ['whether somebody publishes', { publishes: unavailable }],
    ['the bucket', { media: unavailable }],
    ['whether to go on', { continuation: unavailable }],
    ['the fleet in the end', { fleetInTheEnd: unavailable }],
    ['an egress by its id', { worker: { listed: unavailable } }],
    ['a worker', { other: { answer: unavailable } }],
    ['a worker once more', { other: { confirmed: unavailable } }],
  ])('is told with its error: %s', (_, of) => {
    expect(firstUnavailable(evidenceOf(of))).toBe(unavailable.error);
  });

  it('is nothing where all was answered or not asked, nor a fleet that has not answered in time', () => {
    expect(firstUnavailable(NO_EVIDENCE)).toBeNull();
    const answered = { ...looked, room: known<RoomEvidence>({ open: false }), worker: proven };
    expect(firstUnavailable(evidenceOf({ ...answered, fleet: unavailable }))).toBeNull();
  });

  it('is the first of several: what LiveKit lists comes before the bucket, and the bucket before a worker', () => {
    const of = (message: string) =>
      ({ state: 'unavailable', error: new TallyError('STORAGE_UNAVAILABLE', message) }) as const;
    const some = { media: of('the bucket'), worker: { answer: of('the worker') } };
    expect(firstUnavailable(evidenceOf({ ...some, looked: of('the list') }))?.message).toBe('the list');
    expect(firstUnavailable(evidenceOf(some))?.message).toBe('the bucket');
  });
});
