import { aRecording, anEgress, aRecordingId, T0 } from '../../../test/support/builders.js';
import { after } from '../../../test/support/told.js';
import type { EgressEndCause, EgressStatus } from '../../livekit/livekit.types.js';
import { continuationPauseMs, isSameSession } from './continuation.js';
import type { Fact } from './facts.js';
import type { StoredRecording } from './recording.js';

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

describe('an end that was ordered', () => {
  const ending = (endCause: EgressEndCause): Fact => seen('ENDING', endCause, 'over');
  const lost: Fact = { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at };

  it.each<[string, Fact]>([
    ['its duration was over', { kind: 'duration-limit-passed', at }],
    ['its session limit was reached', ending('limit-reached')],
    ['somebody ended it in LiveKit itself', ending('stop-api')],
    ['its room was over', ending('source-closed')],
  ])('is not gone on from where its worker is lost or fails after: %s', (_, order) => {
    for (const after_ of [lost, seen('FAILED', 'upload-failed', 'goes-on')]) {
      const ended = after(active, order, after_);
      expect(ended.status).toBe('FAILED');
      expect(ended.upkeep.continuation ?? null).toBeNull();
    }
  });

  it.each<[string, Fact]>([
    ['its duration was over', { kind: 'duration-limit-passed', at }],
    ['somebody ended it in LiveKit itself', ending('stop-api')],
    ['its room was over', ending('source-closed')],
  ])('stays ordered where its worker has no processor left at its end: %s', (_, order) => {
    for (const status of ['COMPLETE', 'FAILED'] as const) {
      const ended = after(active, order, seen(status, 'cpu-exhausted', 'goes-on'));
      expect(ended.upkeep.continuation ?? null).toBeNull();
    }
  });
});

describe('an end that nobody ordered, and that LiveKit told in two steps', () => {
  it.each<[string, Fact, Fact, string]>([
    [
      'its recorder left a meeting that goes on',
      seen('ENDING', 'source-closed', 'goes-on'),
      seen('COMPLETE', 'source-closed', 'goes-on'),
      'RECORDER_LEFT',
    ],
    [
      'its worker had no processor left',
      seen('ENDING', 'cpu-exhausted', 'goes-on'),
      seen('COMPLETE', 'cpu-exhausted', 'goes-on'),
      'LIMIT_REACHED',
    ],
  ])('is gone on from at the second: %s', (_, first, second, endReason) => {
    const ending = after(active, first);
    expect(ending.status).toBe('ENDING');
    expect(ending.upkeep.continuation ?? null).toBeNull();
    expect(after(ending, second)).toMatchObject({ endReason, upkeep: { continuation: 'pending' } });
  });
});

describe('a recording that never became active', () => {
  const failed = (of: StoredRecording): Fact => ({
    ...{ kind: 'egress-seen', room: 'goes-on', at },
    egress: anEgress(of, { status: 'FAILED', endCause: 'failure' }),
  });

  it('is not gone on from where it was a first start: its caller was told', () => {
    const ended = after(started, failed(started));
    expect(ended).toMatchObject({ startedAt: null, endReason: 'EGRESS_FAILED' });
    expect(ended.upkeep.continuation ?? null).toBeNull();
  });

  it('is gone on from where it continues another one', () => {
    const further = aRecording({ continues: aRecordingId() });
    expect(after(further, failed(further))).toMatchObject({
      ...{ startedAt: null, endReason: 'EGRESS_FAILED' },
      upkeep: { continuation: 'pending' },
    });
  });
});

describe('a recording that was gone on from', () => {
  const lost = after(active, { kind: 'recorder-lost', egressId: 'EG_000000000001', media: null, at });

  it.each<[string, Fact]>([
    ['another recording goes on from it', { kind: 'continued', by: aRecordingId(), at }],
    ['it was given up', { kind: 'continuation-given-up', at }],
  ])('is not gone on from once more, whatever is found of it afterwards: %s', (_, done) => {
    const settled = after(lost, done);
    expect(settled.upkeep.continuation).toBeNull();
    const found = after(settled, { kind: 'media-looked-for', media: { sizeBytes: 7 }, at: at + 1_000 });
    expect(found).toMatchObject({ hasMedia: true, upkeep: { continuation: null } });
  });
});

describe('the pause before the next one', () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 3_000],
    [3, 10_000],
    [6, 120_000],
    [7, 120_000],
    [40, 120_000],
  ])('after %i that ended in a row is %i ms', (endedInARow, ms) => {
    expect(continuationPauseMs(endedInARow)).toBe(ms);
  });
});
