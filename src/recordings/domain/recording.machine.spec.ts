import fc from 'fast-check';
import { anyFacts } from '../../../test/support/arbitraries.js';
import { aRecording, aRecordingId, anEgress, T0 } from '../../../test/support/builders.js';
import { after } from '../../../test/support/told.js';
import type { Fact } from './facts.js';
import type { EgressStatus } from '../../livekit/livekit.types.js';
import { isFinal, type RecordingStatus, type StoredRecording, type Upkeep } from './recording.js';
import { type Decision, decide } from './recording.machine.js';
import { hasLiveEgress, isUnsettled } from './slot.js';

const RANK: Record<RecordingStatus, number> = {
  STARTING: 0,
  ACTIVE: 1,
  ENDING: 2,
  COMPLETE: 3,
  FAILED: 3,
  ABORTED: 3,
  LIMIT_REACHED: 3,
};
interface Present {
  readonly recording: StoredRecording;
  readonly events: number;
}

function tell(before: Present, fact: Fact): Present {
  const decision = decide(before.recording, fact);
  if (decision.kind === 'ignore') return before;
  return { recording: decision.next, events: before.events + (decision.event ? 1 : 0) };
}

function alwaysTrue(check: (before: StoredRecording, after: StoredRecording, fact: Fact) => void): void {
  const start = aRecording();
  fc.assert(
    fc.property(anyFacts(start), (facts) => {
      let now: Present = { recording: start, events: 1 };
      for (const fact of facts) {
        const next = tell(now, fact);
        check(now.recording, next.recording, fact);
        expect(next.recording.version).toBe(next.events);
        now = next;
      }
    }),
    { numRuns: 1_000 },
  );
}

describe('the state machine, whatever happens in whatever order', () => {
  it('never takes a status back, and keeps a final one as it is', () => {
    alwaysTrue((before, after) => {
      expect(RANK[after.status]).toBeGreaterThanOrEqual(RANK[before.status]);
      if (isFinal(before.status)) {
        expect([after.status, after.endReason, after.error]).toEqual([
          before.status,
          before.endReason,
          before.error,
        ]);
      }
    });
  });

  it('counts a version for every event and none besides, and a revision for every write', () => {
    alwaysTrue((before, after) => {
      expect(after.version - before.version).toBeGreaterThanOrEqual(0);
      expect(after.version - before.version).toBeLessThanOrEqual(1);
      if (after !== before) expect(after.rev).toBe(before.rev + 1);
    });
  });

  it('frees a room only when the recording is final, no start is on its way and no egress of it is live', () => {
    alwaysTrue((before, after, fact) => {
      if (!before.upkeep.holdsSlot || after.upkeep.holdsSlot) return;
      expect(isFinal(after.status)).toBe(true);
      expect(hasLiveEgress(after)).toBe(false);
      expect(fact.at).toBeGreaterThanOrEqual(after.upkeep.startPendingUntil);
    });
  });

  it('never takes a room again that it has given back, and never forgets what a starter was told', () => {
    alwaysTrue((before, after) => {
      if (!before.upkeep.holdsSlot) expect(after.upkeep.holdsSlot).toBe(false);
      if (before.upkeep.startResult !== null)
        expect(after.upkeep.startResult).toEqual(before.upkeep.startResult);
    });
  });

  it('orders every egress to stop that is live without a recording in progress that owns it', () => {
    const start = aRecording();
    fc.assert(
      fc.property(anyFacts(start), (facts) => {
        let now = start;
        for (const fact of facts) {
          const decision = decide(now, fact);
          if (decision.kind === 'ignore') continue;
          const stopped = decision.effects.flatMap((effect) =>
            effect.do === 'stop-egress' ? [effect.egressId] : [],
          );
          for (const [id, state] of Object.entries(decision.next.upkeep.egresses)) {
            const isNew = state === 'live' && now.upkeep.egresses[id] === undefined;
            const owned = !isFinal(decision.next.status) && decision.next.egressId === id;
            const ending =
              'egress' in fact && fact.egress?.egressId === id && fact.egress.status === 'ENDING';
            const listedEnding =
              fact.kind === 'egresses-listed' &&
              fact.egresses.some((e) => e.egressId === id && e.status === 'ENDING');
            if (isNew && !owned && !ending && !listedEnding) expect(stopped).toContain(id);
          }
          now = decision.next;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('hides no media: what an egress uploaded is shown whatever became of the recording', () => {
    alwaysTrue((before, after, fact) => {
      const seen = fact.kind === 'egress-seen' || fact.kind === 'start-accepted' ? fact.egress : null;
      if (seen === null || !seen.file?.uploaded || !isFinal(seen.status) || after.upkeep.deleted) return;
      const primary = after.egressId === seen.egressId;
      if (primary || isFinal(before.status)) expect(after.hasMedia).toBe(true);
    });
  });

  it('tells clients nothing of a deleted recording, and takes what landed since with its tombstone', () => {
    const start = aRecording();
    fc.assert(
      fc.property(anyFacts(start), (facts) => {
        let now = start;
        for (const fact of facts) {
          const decision = decide(now, fact);
          if (decision.kind === 'ignore') continue;
          const { next, event, effects } = decision;
          if (now.upkeep.deleted) {
            expect([event, next.version]).toEqual([null, now.version]);
            const goes = isUnsettled(now) && !isUnsettled(next);
            if (goes) expect(effects.map((effect) => effect.do)).toContain('finish-deletion');
          }
          // A tombstone that has gone is told nothing any more.
          if (next.upkeep.deleted && !isUnsettled(next)) return;
          now = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps the tombstone of a recording whose start is still on its way until nothing of it can run', () => {
    const failed = tell(
      { recording: aRecording(), events: 0 },
      { kind: 'start-deadline-passed', waitedMs: 1_000, at: T0 + 1_000 },
    );
    const deleted = tell(failed, { kind: 'deleted', at: T0 + 1_500 }).recording;
    expect([deleted.upkeep.deleted, isUnsettled(deleted)]).toEqual([true, true]);
    const late = anEgress(deleted, { status: 'ACTIVE' });
    const came = decide(deleted, { kind: 'start-accepted', egress: late, at: T0 + 9_000 });
    expect(came).toMatchObject({
      event: null,
      effects: expect.arrayContaining([
        expect.objectContaining({ do: 'stop-egress', egressId: late.egressId }),
      ]),
    });
    if (came.kind === 'ignore') throw new Error('it is not ignored');
    expect(isUnsettled(came.next)).toBe(true);
    // Proven gone without a word about a file: the bucket is emptied all the same.
    let now = came.next;
    for (const at of [12_000, 16_000, 20_000, 24_000]) {
      const looked = decide(now, { kind: 'egresses-listed', egresses: [], at: T0 + at });
      if (looked.kind === 'ignore') continue;
      now = looked.next;
      if (!isUnsettled(now)) expect(looked.effects.map((effect) => effect.do)).toContain('finish-deletion');
    }
    expect(isUnsettled(now)).toBe(false);
  });

  it('always leaves somebody to come back to what is not settled, except an ACTIVE recording', () => {
    const start = aRecording();
    fc.assert(
      fc.property(anyFacts(start), (facts) => {
        let now = start;
        for (const fact of facts) {
          const decision = decide(now, fact);
          if (decision.kind === 'ignore') continue;
          const awaited = now.upkeep.continuation === 'pending';
          now = decision.next;
          const does = (order: string): boolean => decision.effects.some((effect) => effect.do === order);
          if (now.upkeep.continuation === 'pending') expect(awaited || does('reconcile')).toBe(true);
          else if (isUnsettled(now) && now.status !== 'ACTIVE') expect(does('reconcile')).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('reports of one egress', () => {
  const lives: EgressStatus[][] = [
    ['STARTING', 'ACTIVE', 'ENDING', 'COMPLETE'],
    ['STARTING', 'ACTIVE', 'LIMIT_REACHED'],
    ['STARTING', 'ACTIVE', 'ENDING', 'FAILED'],
    ['STARTING', 'ABORTED'],
    ['STARTING', 'FAILED'],
  ];

  it.each(lives)('twice, late and in any order end in the same status (%s, %s, …)', (...life) => {
    const start = aRecording();
    fc.assert(
      fc.property(fc.shuffledSubarray([...life, ...life], { minLength: life.length }), (order) => {
        const last = life.at(-1)!;
        const reports = order.includes(last) ? order : [...order, last];
        let now: Present = { recording: start, events: 1 };
        reports.forEach((status, i) => {
          now = tell(now, { kind: 'egress-seen', egress: anEgress(start, { status }), at: T0 + i });
        });
        expect(now.recording.status).toBe(last);
        expect(now.recording.version).toBe(now.events);
      }),
    );
  });
});

describe('single decisions', () => {
  const EGRESS = 'EG_000000000001';
  const start = aRecording();
  const seen = (status: EgressStatus, ms: number): Fact => ({
    ...{ kind: 'egress-seen', egress: anEgress(start, { status }), at: T0 + ms },
  });
  const active = after(start, seen('ACTIVE', 2_000));
  const complete = after(active, seen('COMPLETE', 60_000));
  const lost: Fact = { kind: 'recorder-lost', egressId: EGRESS, media: null, at: T0 + 60_000 };
  const at = (ms: number): number => T0 + ms;

  it('a definite refusal fails the recording and frees its room at once', () => {
    const refused = after(aRecording(), {
      kind: 'start-refused',
      why: 'no such room',
      credentials: false,
      at: at(100),
    });
    expect(refused).toMatchObject({
      status: 'FAILED',
      endReason: 'START_REJECTED',
      upkeep: { holdsSlot: false },
    });
    expect(refused.upkeep.startResult).toMatchObject({ code: 'RECORDING_START_REJECTED' });
  });

  it('a start that timed out keeps its room until its request is over and LiveKit lists nothing', () => {
    const deadline: Fact = { kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) };
    const early: Fact = { kind: 'egresses-listed', egresses: [], at: at(25_000) };
    const later: Fact = { kind: 'egresses-listed', egresses: [], at: at(35_000) };
    const timedOut = after(aRecording(), deadline, early);
    expect(timedOut).toMatchObject({
      status: 'FAILED',
      endReason: 'START_TIMEOUT',
      upkeep: { holdsSlot: true },
    });
    expect(after(timedOut, later).upkeep.holdsSlot).toBe(false);
  });

  it('an answer that comes after the deadline stops the egress it names, and the room waits for its end', () => {
    const start = aRecording();
    const timedOut = after(start, { kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) });
    const decision = decide(timedOut, { kind: 'start-accepted', egress: anEgress(start), at: at(21_000) });
    expect(decision).toMatchObject({
      kind: 'advance',
      effects: expect.arrayContaining([
        expect.objectContaining({ do: 'stop-egress', egressId: 'EG_000000000001' }),
      ]),
    });
    const late = after(timedOut, { kind: 'start-accepted', egress: anEgress(start), at: at(21_000) });
    expect(late).toMatchObject({ status: 'FAILED', upkeep: { holdsSlot: true } });
    const over = after(late, {
      kind: 'egress-seen',
      egress: anEgress(start, { status: 'ABORTED' }),
      at: at(22_000),
    });
    expect(over.upkeep.holdsSlot).toBe(false);
  });

  it('a start cancelled before it began is ABORTED only when it is certain that nothing runs', () => {
    const start = aRecording();
    const cancelled = after(start, { kind: 'start-cancelled', at: at(300) });
    expect(cancelled).toMatchObject({ status: 'ENDING', endReason: 'START_CANCELLED' });
    const aborted = after(
      cancelled,
      { kind: 'start-accepted', egress: anEgress(start), at: at(600) },
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ABORTED' }), at: at(900) },
    );
    expect(aborted).toMatchObject({
      status: 'ABORTED',
      endReason: 'START_CANCELLED',
      upkeep: { holdsSlot: false },
    });
  });

  it('our own limit makes a complete egress LIMIT_REACHED', () => {
    const start = aRecording();
    const limited = after(
      start,
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
      { kind: 'duration-limit-passed', at: at(60_000) },
      {
        kind: 'egress-seen',
        egress: anEgress(start, { status: 'COMPLETE', endCause: 'stop-api' }),
        at: at(61_000),
      },
    );
    expect(limited).toMatchObject({
      status: 'LIMIT_REACHED',
      endReason: 'LIMIT_REACHED',
      hasMedia: true,
      durationMs: 56_000,
    });
  });

  it('one look that finds nothing ends nothing, an egress missing for long does', () => {
    const start = aRecording();
    const active = after(
      start,
      { kind: 'start-accepted', egress: anEgress(start), at: at(500) },
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
    );
    const look = (ms: number): Fact => ({ kind: 'egresses-listed', egresses: [], at: at(ms) });
    const gone: Fact = { kind: 'egress-gone', proof: 'absence', media: null, at: at(20_000) };
    expect(after(active, look(10_000), gone).status).toBe('ACTIVE');
    const missing = after(active, look(10_000), look(14_000), look(18_500), gone);
    expect(missing).toMatchObject({ status: 'ABORTED', endReason: 'STALE', upkeep: { holdsSlot: false } });
    const withMedia = after(active, look(10_000), look(14_000), look(18_500), {
      ...gone,
      media: { sizeBytes: 7 },
    });
    expect(withMedia).toMatchObject({ status: 'COMPLETE', endReason: 'STALE', hasMedia: true, sizeBytes: 7 });
  });

  it('an egress that is seen again was not gone', () => {
    const start = aRecording();
    const active = after(start, {
      kind: 'egress-seen',
      egress: anEgress(start, { status: 'ACTIVE' }),
      at: at(2_000),
    });
    const look = (ms: number, ...egresses: EgressStatus[]): Fact => ({
      kind: 'egresses-listed',
      egresses: egresses.map((status) => anEgress(start, { status })),
      at: at(ms),
    });
    const seen = after(active, look(10_000), look(14_000), look(18_500, 'ACTIVE'), {
      kind: 'egress-gone',
      proof: 'absence',
      media: null,
      at: at(20_000),
    });
    expect(seen.status).toBe('ACTIVE');
    expect(seen.upkeep.absence).toBeNull();
  });

  it('an answer that says neither yes nor no ends START_REJECTED once two looks found nothing', () => {
    const unknown = after(aRecording(), { kind: 'start-unknown', answered: true, why: '503', at: at(1_000) });
    expect(unknown.status).toBe('STARTING');
    const look = (ms: number): Fact => ({ kind: 'egresses-listed', egresses: [], at: at(ms) });
    const gone: Fact = { kind: 'egress-gone', proof: 'absence', media: null, at: at(9_100) };
    expect(after(unknown, look(1_100), look(4_000), gone).status).toBe('STARTING');
    expect(after(unknown, look(1_100), look(6_000), gone).status).toBe('STARTING');
    expect(after(unknown, look(1_100), look(6_000), look(9_000), gone)).toMatchObject({
      status: 'FAILED',
      endReason: 'START_REJECTED',
      upkeep: { holdsSlot: false },
    });
  });

  it('a recording whose worker is proven dead is over at once, its room free, and is gone on with unless its end was asked for', () => {
    const start = aRecording();
    const active = after(
      start,
      { kind: 'start-accepted', egress: anEgress(start), at: at(500) },
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
    );
    const lost: Fact = { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at: at(60_000) };
    expect(after(active, lost)).toMatchObject({
      status: 'FAILED',
      endReason: 'RECORDER_LOST',
      upkeep: { holdsSlot: false, egresses: { EG_000000000001: 'lost' } },
    });
    const { effects } = decide(active, lost) as Extract<Decision, { kind: 'advance' }>;
    expect(effects).toContainEqual({ do: 'reconcile', at: at(60_000) });
    // What can't be undone is left to the sweep that sees how many are lost at once.
    expect(effects).not.toContainEqual(expect.objectContaining({ do: 'remove-recorder' }));
    const stopped = after(active, { kind: 'stop-taken', egress: null, at: at(50_000) });
    const decision = decide(stopped, lost);
    expect(decision).toMatchObject({
      kind: 'advance',
      next: { status: 'FAILED', endReason: 'RECORDER_LOST' },
    });
    expect(decision.kind === 'advance' && decision.next.upkeep.continuation).toBeFalsy();
  });

  it('a start whose egress is seen was sent, also where Redis has lost the mark of it: it is neither sent again nor dropped', () => {
    const seen = after(aRecording(), {
      kind: 'egress-seen',
      egress: anEgress(aRecording(), { status: 'ACTIVE' }),
      at: at(6_000),
    });
    for (const windowMs of [1_000, 60_000]) {
      const claim: Fact = { kind: 'start-sending', by: 'late', limitMs: 35_000, windowMs, at: at(7_000) };
      expect(decide(seen, claim)).toEqual({ kind: 'ignore' });
    }
  });

  it('a continuation whose recorder came to another meeting is cancelled, and its egress stopped', () => {
    const start = aRecording({ continues: aRecording().id, roomSid: 'RM_before' });
    const accepted: Fact = { kind: 'start-accepted', egress: anEgress(start), at: at(500) };
    expect(decide(start, accepted)).toMatchObject({
      next: { status: 'ENDING', endReason: 'START_CANCELLED', roomSid: 'RM_before' },
      effects: expect.arrayContaining([expect.objectContaining({ do: 'stop-egress' })]),
    });
    const same = aRecording({ continues: aRecording().id, roomSid: anEgress(start).roomSid });
    expect(after(same, { ...accepted, egress: anEgress(same) })).toMatchObject({ status: 'STARTING' });
  });

  it('what its maximum duration ended is LIMIT_REACHED, whoever notices the end of it', () => {
    const start = aRecording();
    const limited = after(
      start,
      { kind: 'start-accepted', egress: anEgress(start), at: at(500) },
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
      { kind: 'duration-limit-passed', at: at(3_602_000) },
    );
    const media = { sizeBytes: 1_000 };
    const ends: Fact[] = [
      { kind: 'egress-gone', proof: 'not-found', media, at: at(3_700_000) },
      { kind: 'recorder-lost', egressId: 'EG_000000000001', media, at: at(3_700_000) },
    ];
    for (const end of ends)
      expect(after(limited, end)).toMatchObject({ status: 'LIMIT_REACHED', endReason: 'LIMIT_REACHED' });
  });

  it('an egress proven dead is never stopped again, and media it delivers all the same is shown', () => {
    const start = aRecording();
    const active = after(
      start,
      { kind: 'start-accepted', egress: anEgress(start), at: at(500) },
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
    );
    const lost = after(active, {
      kind: 'recorder-lost',
      egressId: 'EG_000000000001',
      media: null,
      at: at(60_000),
    });
    expect(
      decide(lost, { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(61_000) }),
    ).toEqual({ kind: 'ignore' });
    const delivered = after(lost, {
      kind: 'egress-seen',
      egress: anEgress(start, { status: 'COMPLETE' }),
      at: at(90_000),
    });
    expect(delivered).toMatchObject({ status: 'FAILED', endReason: 'RECORDER_LOST', hasMedia: true });
  });

  it('an egress that goes on long after its end was ordered is stopped again', () => {
    const start = aRecording();
    const active = after(start, {
      kind: 'egress-seen',
      egress: anEgress(start, { status: 'ACTIVE' }),
      at: at(2_000),
    });
    const stopped = after(active, { kind: 'stop-taken', egress: null, at: at(10_000) });
    const seen = (ms: number): Fact => ({
      kind: 'egress-seen',
      egress: anEgress(start, { status: 'ACTIVE' }),
      at: at(ms),
    });
    expect(decide(stopped, seen(15_000))).toEqual({ kind: 'ignore' });
    expect(decide(stopped, seen(31_000))).toMatchObject({
      effects: expect.arrayContaining([
        expect.objectContaining({ do: 'stop-egress', egressId: 'EG_000000000001' }),
      ]),
    });
  });

  it('so is one that LiveKit has forgotten meanwhile', () => {
    const start = aRecording();
    const stopped = after(
      start,
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
      { kind: 'stop-taken', egress: null, at: at(10_000) },
    );
    const ID = 'EG_000000000001';
    const unlisted = (ms: number, alive: string[]): Decision =>
      decide(stopped, { kind: 'egresses-listed', egresses: [], alive, at: at(ms) });
    expect(unlisted(15_000, [ID])).toEqual({ kind: 'ignore' });
    const again = {
      effects: expect.arrayContaining([expect.objectContaining({ do: 'stop-egress', egressId: ID })]),
    };
    expect(unlisted(31_000, [ID])).toMatchObject(again);
    expect(unlisted(31_000, [])).toMatchObject(again);
  });

  it('a stop of what is to be recorded further is kept in the bucket too, where no client sees it', () => {
    const start = aRecording();
    const lost = after(
      start,
      { kind: 'egress-seen', egress: anEgress(start, { status: 'ACTIVE' }), at: at(2_000) },
      { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at: at(60_000) },
    );
    expect(lost.upkeep.continuation).toBe('pending');
    expect(decide(lost, { kind: 'stop-requested', at: at(61_000) })).toMatchObject({
      next: { version: lost.version, upkeep: { continuation: null } },
      event: null,
      effects: expect.arrayContaining([{ do: 'write-metadata' }]),
    });
  });

  it('is gone on from once, by the recording that was named first', () => {
    const over = after(active, lost);
    const [first, second] = [aRecordingId(), aRecordingId()];
    const continued = after(over, { kind: 'continued', by: first, at: at(61_000) });
    expect(continued).toMatchObject({ continuedBy: first, upkeep: { continuation: null } });
    expect(decide(continued, { kind: 'continued', by: second, at: at(62_000) })).toEqual({ kind: 'ignore' });
  });

  it('is given up once, where it was to be gone on from', () => {
    const over = after(active, lost);
    const givenUp: Fact = { kind: 'continuation-given-up', at: at(61_000) };
    expect(after(over, givenUp).upkeep.continuation).toBeNull();
    expect(decide(after(over, givenUp), givenUp)).toEqual({ kind: 'ignore' });
    expect(decide(active, givenUp)).toEqual({ kind: 'ignore' });
  });

  it('a stop is remembered from when it was first asked for', () => {
    const asked = after(active, { kind: 'stop-requested', at: at(9_000) });
    expect(asked.upkeep.stopRequestedAt).toBe(at(9_000));
    expect(decide(asked, { kind: 'stop-requested', at: at(10_000) })).toEqual({ kind: 'ignore' });
    const taken = after(asked, { kind: 'stop-taken', egress: null, at: at(11_000) });
    expect(taken).toMatchObject({ status: 'ENDING', upkeep: { stopRequestedAt: at(9_000) } });
  });

  it('a deletion is asked for once, of what is final, and finished by somebody else where the first one dies', () => {
    const asked: Fact = { kind: 'deletion-requested', by: 'somebody', at: at(70_000) };
    expect(decide(active, asked)).toEqual({ kind: 'ignore' });
    const decision = decide(complete, asked);
    expect(decision).toMatchObject({
      next: { version: complete.version, upkeep: { deletion: { requestedAt: at(70_000), by: 'somebody' } } },
      effects: expect.arrayContaining([{ do: 'finish-deletion', at: at(80_000) }]),
    });
    const deleting = after(complete, asked);
    expect(decide(deleting, { ...asked, by: 'another', at: at(71_000) })).toEqual({ kind: 'ignore' });
    const deleted: Fact = { kind: 'deleted', at: at(72_000) };
    expect(decide(active, deleted)).toEqual({ kind: 'ignore' });
    expect(decide(deleting, deleted)).toMatchObject({
      event: { type: 'DELETED' },
      next: { version: complete.version + 1, upkeep: { deleted: true } },
      effects: expect.arrayContaining([{ do: 'drop-room-metadata' }]),
    });
    expect(decide(after(deleting, deleted), { ...deleted, at: at(73_000) })).toEqual({ kind: 'ignore' });
  });

  it('what outlived its deletion is cleared away when it is over, and not before', () => {
    const { upkeep } = active;
    const deleted = { ...active, status: 'FAILED', upkeep: { ...upkeep, deleted: true } } as const;
    const cleared = (ms: number, ...egresses: EgressStatus[]): boolean => {
      const shown = egresses.map((status) => anEgress(start, { status }));
      const decision = decide(deleted, { kind: 'egresses-listed', egresses: shown, at: at(ms) });
      const effects = decision.kind === 'advance' ? decision.effects : [];
      return effects.some((effect) => effect.do === 'finish-deletion');
    };
    expect(cleared(70_000, 'ACTIVE')).toBe(false);
    expect(cleared(70_000, 'FAILED')).toBe(true);
  });

  it('media that the bucket is found to have is shown once, and never in the place of what was reported', () => {
    const found: Fact = { kind: 'media-looked-for', media: { sizeBytes: 7 }, at: at(61_000) };
    expect(after(active, lost, found)).toMatchObject({ hasMedia: true, sizeBytes: 7 });
    expect(after(active, lost, { ...found, media: null })).toMatchObject({
      ...{ hasMedia: false, upkeep: { bucketChecked: true } },
    });
    expect(after(complete, found)).toMatchObject({ hasMedia: true, sizeBytes: 646_898 });
  });

  it('a start that went unanswered counts as absent from the end of its time on, while nothing of it was seen', () => {
    const look: Fact = { kind: 'egresses-listed', egresses: [], at: at(35_000) };
    const pending = { startPendingUntil: at(35_000), startAnswer: 'unanswered' } as const;
    const absenceOf = (
      upkeep: Partial<Upkeep>,
      fields: Partial<StoredRecording> = {},
      ms = 35_000,
    ): unknown =>
      after({ ...aRecording({ upkeep: { ...pending, ...upkeep } }), ...fields }, { ...look, at: at(ms) })
        .upkeep.absence;
    expect(absenceOf({})).toEqual({ looks: 1, firstAt: at(35_000), lastAt: at(35_000) });
    expect(absenceOf({}, {}, 34_999)).toBeNull();
    expect(absenceOf({ startSentAt: null })).toBeNull();
    expect(absenceOf({ startAnswer: 'accepted' })).toBeNull();
    expect(absenceOf({ egresses: { [EGRESS]: 'over' } })).toBeNull();
    const timedOut = { status: 'FAILED', endReason: 'START_TIMEOUT' } as const;
    expect(absenceOf({ startAnswer: 'unanswered' }, timedOut)).toBeNull();
  });

  it('looks that find nothing count once in two seconds, and of what is over they end the egress', () => {
    const look = (ms: number, alive: string[] = []): Fact => ({
      ...{ kind: 'egresses-listed', egresses: [], alive, at: at(ms) },
    });
    const twice = after(active, look(10_000), look(11_999));
    expect(twice.upkeep.absence).toEqual({ looks: 1, firstAt: at(10_000), lastAt: at(10_000) });
    expect(after(twice, look(12_000)).upkeep.absence).toMatchObject({ looks: 2, firstAt: at(10_000) });
    expect(after(active, look(10_000, [EGRESS])).upkeep.absence).toBeNull();
    const upkeep = { ...active.upkeep, startAnswer: 'accepted', startPendingUntil: at(3_000) } as const;
    const over = { ...active, status: 'FAILED', endReason: 'STALE', upkeep } as const;
    const missing = after(over, look(10_000), look(14_000));
    expect(missing.upkeep).toMatchObject({ holdsSlot: true, egresses: { [EGRESS]: 'live' } });
    expect(after(missing, look(18_000)).upkeep).toMatchObject({
      ...{ holdsSlot: false, absence: null, egresses: { [EGRESS]: 'over' } },
    });
  });

  it('a stop that LiveKit left open has the recorder removed after some seconds, and one that it took has not', () => {
    const open: Fact = { kind: 'stop-taken', egress: null, at: at(10_000) };
    expect(decide(active, open)).toMatchObject({
      next: { status: 'ENDING', endReason: 'STOP_REQUESTED' },
      effects: expect.arrayContaining([
        { do: 'remove-recorder', egressId: EGRESS, at: at(15_000), why: 'nobody answered its stop' },
      ]),
    });
    const ending = anEgress(start, { status: 'ENDING', endCause: 'stop-api' });
    const decision = decide(active, { ...open, egress: ending });
    const effects = decision.kind === 'advance' ? decision.effects : [];
    expect(effects).not.toContainEqual(expect.objectContaining({ do: 'remove-recorder' }));
    const limited = after(active, { kind: 'duration-limit-passed', at: at(9_000) }, open);
    expect(limited).toMatchObject({ endReason: 'LIMIT_REACHED', upkeep: { stopRequestedAt: at(10_000) } });
    expect(after(active, { ...open, egress: anEgress(start, { status: 'COMPLETE' }) })).toMatchObject({
      ...{ status: 'COMPLETE', endReason: 'STOP_REQUESTED' },
    });
  });

  it('an end that we order stops every egress that runs', () => {
    const two = { ...active.upkeep, egresses: { [EGRESS]: 'live', EG_2: 'over', EG_3: 'live' } } as const;
    const stopped = (recording: StoredRecording, fact: Fact): unknown => {
      const decision = decide(recording, fact);
      const effects = decision.kind === 'advance' ? decision.effects : [];
      return effects.flatMap((effect) => (effect.do === 'stop-egress' ? [effect.egressId] : []));
    };
    const starting = { ...start, egressId: EGRESS, upkeep: { ...start.upkeep, egresses: two.egresses } };
    const late: Fact = { kind: 'start-deadline-passed', waitedMs: 20_000, at: at(20_000) };
    expect(stopped(starting, late)).toEqual([EGRESS, 'EG_3']);
    expect(after(starting, late).error).toBe('the egress did not become active within 20 s');
    expect(stopped(starting, { kind: 'start-cancelled', at: at(1_000) })).toEqual([EGRESS, 'EG_3']);
    const limit: Fact = { kind: 'duration-limit-passed', at: at(9_000) };
    expect(stopped({ ...active, upkeep: two }, limit)).toEqual([EGRESS, 'EG_3']);
  });

  it('every change that clients see is in the bucket, and of a final one each order that they do not see', () => {
    const orders = (recording: StoredRecording, fact: Fact): string[] => {
      const decision = decide(recording, fact);
      return decision.kind === 'advance' ? decision.effects.map((effect) => effect.do) : [];
    };
    expect(orders(active, seen('ENDING', 50_000))).toEqual(
      expect.arrayContaining(['write-metadata', 'signal-room']),
    );
    const asked: Fact = { kind: 'stop-requested', at: at(61_000) };
    expect(orders(active, asked)).toEqual([]);
    expect(orders(complete, asked)).toContain('write-metadata');
    const over = after(active, lost);
    expect(orders(over, { kind: 'continuation-given-up', at: at(61_000) })).toContain('write-metadata');
    const continued: Fact = { kind: 'continued', by: aRecordingId(), at: at(61_000) };
    expect(orders(over, continued)).toContain('write-metadata');
    expect(orders(over, continued)).not.toContain('signal-room');
    const gone = { ...complete, upkeep: { ...complete.upkeep, deleted: true } };
    expect(orders(gone, asked)).not.toContain('write-metadata');
    const { upkeep } = complete;
    const deleting = { ...complete, upkeep: { ...upkeep, deletion: { requestedAt: at(1), by: 'x' } } };
    const left = orders(deleting, { kind: 'deleted', at: at(72_000) });
    expect(left).toContain('drop-room-metadata');
    expect(left).not.toContain('write-metadata');
  });

  it('a stall that is over is looked at once more at once, and nothing else is', () => {
    const still = after(active, { ...lost, stalledSince: at(30_000) });
    expect(still.upkeep.stalledSince).toBe(at(30_000));
    const waiting = { ...still, upkeep: { ...still.upkeep, holdsSlot: false, bucketChecked: true } };
    const givenUp: Fact = { kind: 'continuation-given-up', at: at(90_000) };
    const looks = (recording: StoredRecording): unknown => {
      const decision = decide(recording, givenUp);
      const effects = decision.kind === 'advance' ? decision.effects : [];
      return effects.filter((effect) => effect.do === 'reconcile');
    };
    expect(isUnsettled(waiting)).toBe(true);
    expect(looks(waiting)).toEqual([{ do: 'reconcile', at: at(90_000) }]);
    const { stalledSince: _, ...upkeep } = waiting.upkeep;
    expect(looks({ ...waiting, upkeep })).toEqual([]);
    expect(looks({ ...waiting, upkeep: { ...waiting.upkeep, bucketChecked: false } })).toHaveLength(1);
  });
});
