import { aRecording, anEgress, T0 } from '../../../test/support/builders.js';
import { after } from '../../../test/support/told.js';
import type { Fact } from './facts.js';
import { decide } from './recording.machine.js';

const unsent = aRecording({ upkeep: { startSentAt: null } });
const sending = (ms: number, by = 'this process'): Fact => ({
  ...{ kind: 'start-sending', by, limitMs: 35_000, windowMs: 20_000, at: T0 + ms },
});

describe('a request to start', () => {
  it('is sent by who is named first, and is on its way for as long as it may take and a moment more', () => {
    const sent = after(unsent, sending(1_000));
    expect(sent.upkeep).toMatchObject({
      ...{ startSentAt: T0 + 1_000, startSentBy: 'this process', startPendingUntil: T0 + 41_000 },
    });
    expect(decide(sent, sending(1_500, 'another'))).toEqual({ kind: 'ignore' });
  });

  it('is not sent once it was answered or is over', () => {
    const refused: Fact = { kind: 'start-refused', why: 'no', credentials: false, at: T0 + 900 };
    expect(decide(after(unsent, refused), sending(1_000))).toEqual({ kind: 'ignore' });
    const timedOut = after(unsent, { kind: 'start-deadline-passed', waitedMs: 20_000, at: T0 + 20_000 });
    expect(decide(timedOut, sending(20_001))).toEqual({ kind: 'ignore' });
    const accepted = aRecording({ upkeep: { startSentAt: null, startAnswer: 'accepted' } });
    expect(decide(accepted, sending(1_000))).toEqual({ kind: 'ignore' });
  });

  it('is given up where it was stopped before, and the room is free at once', () => {
    const cancelled = after(unsent, { kind: 'start-cancelled', at: T0 + 500 });
    expect(after(cancelled, sending(1_000))).toMatchObject({
      ...{ status: 'ABORTED', endReason: 'START_CANCELLED', endedAt: T0 + 1_000 },
      upkeep: { startSentAt: null, startAnswer: 'refused', holdsSlot: false },
    });
  });

  it('is given up where nobody got to it in time', () => {
    expect(after(unsent, sending(20_000))).toMatchObject({ status: 'STARTING' });
    const late = after(unsent, sending(20_001));
    expect(late).toMatchObject({
      ...{ status: 'FAILED', endReason: 'START_REJECTED', endedAt: T0 + 20_001 },
      upkeep: { startSentAt: null, holdsSlot: false, startResult: { code: 'RECORDING_START_REJECTED' } },
    });
    expect(late.error).toMatch(/held up, and LiveKit was not asked; start it again/);
  });
});

describe('the answer to a request to start', () => {
  const unknown: Fact = { kind: 'start-unknown', answered: true, why: '503', at: T0 + 1_000 };

  it('that says neither yes nor no has LiveKit looked at now, and others may be listed for a moment more', () => {
    expect(decide(unsent, unknown)).toMatchObject({
      next: { upkeep: { startAnswer: 'error', startPendingUntil: T0 + 6_000 } },
      effects: expect.arrayContaining([{ do: 'reconcile', at: T0 + 1_000 }]),
    });
    const seen = after(unsent, { kind: 'egress-seen', egress: anEgress(unsent), at: T0 + 800 });
    expect(after(seen, unknown).upkeep).toMatchObject({
      startAnswer: 'error',
      startPendingUntil: T0 + 1_000,
    });
  });

  it('that never came leaves its time as it was', () => {
    const pending = aRecording({ upkeep: { startPendingUntil: T0 + 35_000 } });
    const silent: Fact = { ...unknown, answered: false };
    expect(after(pending, silent).upkeep).toMatchObject({
      startAnswer: 'unanswered',
      startPendingUntil: T0 + 35_000,
    });
  });

  it.each([
    [false, 'RECORDING_START_REJECTED'],
    [true, 'LIVEKIT_UNAVAILABLE'],
  ])('that is a refusal is told to the caller (of our credentials: %s)', (credentials, code) => {
    const refused = after(unsent, { kind: 'start-refused', why: 'no such room', credentials, at: T0 + 100 });
    expect(refused).toMatchObject({
      ...{ status: 'FAILED', endReason: 'START_REJECTED', endedAt: T0 + 100, error: 'no such room' },
      upkeep: { startResult: { code } },
    });
  });

  it('that is a refusal of what was stopped meanwhile ends it as it was to end', () => {
    const refused: Fact = { kind: 'start-refused', why: 'no', credentials: false, at: T0 + 900 };
    const cancelled = after(aRecording(), { kind: 'start-cancelled', at: T0 + 500 }, refused);
    expect(cancelled).toMatchObject({ status: 'ABORTED', endReason: 'START_CANCELLED', endedAt: T0 + 900 });
  });

  it('that is a refusal says nothing where an egress of it runs', () => {
    const refused: Fact = { kind: 'start-refused', why: 'no', credentials: false, at: T0 + 900 };
    const start = aRecording();
    const running = after(start, { kind: 'egress-seen', egress: anEgress(start), at: T0 + 800 });
    expect(after(running, refused)).toMatchObject({ status: 'STARTING', upkeep: { holdsSlot: true } });
  });
});
