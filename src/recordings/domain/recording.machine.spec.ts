import fc from 'fast-check';
import { anyFacts } from '../../../test/support/arbitraries.js';
import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import type { Fact } from './facts.js';
import type { EgressStatus } from '../../livekit/livekit.types.js';
import { isFinal, type RecordingStatus, type StoredRecording } from './recording.js';
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
  const after = (start: StoredRecording, ...facts: Fact[]): StoredRecording =>
    facts.reduce((now, fact) => tell({ recording: now, events: 0 }, fact).recording, start);
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
});
