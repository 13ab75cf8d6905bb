import { aRecording, anEgress, aRecordingId, T0 } from '../../../test/support/builders.js';
import type { EgressEndCause, EgressStatus } from '../../livekit/livekit.types.js';
import { isSameSession } from './continuation.js';
import type { Fact } from './facts.js';
import type { StoredRecording } from './recording.js';
import { decide } from './recording.machine.js';

function after(start: StoredRecording, ...facts: Fact[]): StoredRecording {
  return facts.reduce((now, fact) => {
    const decision = decide(now, fact);
    return decision.kind === 'advance' ? decision.next : now;
  }, start);
}

const at = T0 + 60_000;
const started = aRecording();
const seen = (status: EgressStatus, endCause: EgressEndCause | null, room: 'goes-on' | 'over'): Fact => ({
  ...{ kind: 'egress-seen', room, at },
  egress: anEgress(started, { status, endCause }),
});
const active = after(started, seen('ACTIVE', null, 'goes-on'));
const stop: Fact = { kind: 'stop-requested', at };

describe('an end that nobody ordered', () => {
  it.each([
    [
      'its worker was lost',
      { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at },
      'RECORDER_LOST',
    ],
    ['its handler failed', seen('FAILED', 'failure', 'goes-on'), 'EGRESS_FAILED'],
    ['its worker was shut down', seen('FAILED', 'process-killed', 'goes-on'), 'EGRESS_FAILED'],
    ['its worker had no processor left', seen('COMPLETE', 'cpu-exhausted', 'goes-on'), 'LIMIT_REACHED'],
    [
      'its recorder left a meeting that goes on',
      seen('COMPLETE', 'source-closed', 'goes-on'),
      'RECORDER_LEFT',
    ],
  ] as [string, Fact, string][])('is gone on from: %s', (_, fact, endReason) => {
    expect(after(active, fact)).toMatchObject({ endReason, upkeep: { continuation: 'pending' } });
  });

  it('by way of ENDING says only at its end whether the room is over', () => {
    const ending = after(active, seen('ENDING', 'source-closed', 'goes-on'));
    expect(ending).toMatchObject({ status: 'ENDING', endReason: null });
    expect(after(ending, seen('COMPLETE', 'source-closed', 'over'))).toMatchObject({
      endReason: 'ROOM_ENDED',
    });
    expect(after(ending, seen('COMPLETE', 'source-closed', 'goes-on'))).toMatchObject({
      endReason: 'RECORDER_LEFT',
    });
  });

  it.each([
    ['its room is over', [seen('COMPLETE', 'source-closed', 'over')]],
    [
      'its duration was over',
      [{ kind: 'duration-limit-passed', at }, seen('COMPLETE', 'stop-api', 'goes-on')],
    ],
    ['its session limit was reached', [seen('LIMIT_REACHED', 'limit-reached', 'goes-on')]],
    ['it was stopped and its upload failed', [stop, seen('FAILED', 'failure', 'goes-on')]],
    [
      'a stop came before the loss',
      [stop, { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at }],
    ],
  ] as [string, Fact[]][])('is no such end where %s', (_, facts) => {
    expect(after(active, ...facts).upkeep.continuation ?? null).toBeNull();
  });

  it('of a first start is told to its caller, of a continuation is tried again', () => {
    const timeout: Fact = { kind: 'start-deadline-passed', waitedMs: 20_000, at };
    expect(after(started, timeout).upkeep.continuation ?? null).toBeNull();
    const further = aRecording({ continues: aRecordingId() });
    expect(after(further, timeout)).toMatchObject({
      endReason: 'START_TIMEOUT',
      upkeep: { continuation: 'pending' },
    });
  });

  it('is not gone on from once somebody asked for the end', () => {
    const lost = after(active, { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at });
    expect(after(lost, stop).upkeep).toMatchObject({ continuation: null, stopRequestedAt: at });
  });
});

describe('the session', () => {
  it('is told by its sid, and by its age where that was never named', () => {
    const room = { sid: 'RM_1', createdAtMs: T0 - 1 };
    expect(isSameSession(aRecording({ roomSid: 'RM_1' }), room)).toBe(true);
    expect(isSameSession(aRecording({ roomSid: 'RM_2' }), room)).toBe(false);
    expect(isSameSession(aRecording(), room)).toBe(true);
    expect(isSameSession(aRecording(), { ...room, createdAtMs: T0 + 1 })).toBe(false);
  });
});
