import { aRecording, T0 } from '../../../test/support/builders.js';
import { type AutoRecordCase, type AutoRecordVerdict, autoRecordVerdict } from './auto-record.js';
import type { StoredRecording, Upkeep } from './recording.js';

const NOW = T0 + 600_000;
const SID = 'RM_1';
const ended = (fields: Partial<StoredRecording> = {}, upkeep: Partial<Upkeep> = {}): StoredRecording =>
  aRecording({
    ...{ status: 'COMPLETE', endReason: 'EGRESS_FAILED', roomSid: SID, startedAt: T0, endedAt: NOW - 60_000 },
    ...fields,
    upkeep,
  });

function verdictOf(news: Partial<AutoRecordCase>): AutoRecordVerdict {
  return autoRecordVerdict({
    ...{ from: 2, sid: SID, publishers: 2, recordings: [], recordedByOthers: false, now: NOW },
    ...news,
  });
}

function judge(news: Partial<AutoRecordCase>): string {
  const verdict = verdictOf(news);
  return verdict.do === 'nothing' ? verdict.why : verdict.do;
}

const failed = (agoMs: number): StoredRecording =>
  ended({ status: 'FAILED', startedAt: null, endedAt: NOW - agoMs });

describe('recording by itself', () => {
  const stopped = ended({ endReason: 'STOP_REQUESTED' }, { stopRequestedAt: NOW - 70_000 });
  it.each<[string, Partial<AutoRecordCase>, string]>([
    ['starts where enough publish', {}, 'start'],
    ['waits for enough', { publishers: 1 }, 'not-yet'],
    ['has what it wants', { recordings: [ended({ status: 'ACTIVE' })] }, 'recorded'],
    ['waits for a start that is under way', { recordings: [ended({ status: 'STARTING' })] }, 'wait'],
    ['stays stopped for its session', { recordings: [stopped] }, 'stopped'],
    ['forgets a stop in the next session', { recordings: [stopped], sid: 'RM_2' }, 'start'],
    ['goes on after an end that nobody ordered', { recordings: [ended()] }, 'start'],
    [
      'leaves a continuation to who goes on',
      { recordings: [ended({}, { continuation: 'pending' })] },
      'wait',
    ],
    ["doubles nobody else's recording", { recordedByOthers: true }, 'recorded-by-others'],
    [
      'pauses after an attempt that failed',
      { recordings: [ended({ status: 'FAILED', startedAt: null, endedAt: NOW - 1_000 })] },
      'wait',
    ],
    [
      'tries again after the pause',
      { recordings: [ended({ status: 'FAILED', startedAt: null, endedAt: NOW - 4_000 })] },
      'start',
    ],
    ['starts at once after one that was active', { recordings: [ended({ endedAt: NOW })] }, 'start'],
    [
      'counts failures up to the last that was active',
      { recordings: [failed(1_000), ended(), failed(90_000), failed(95_000)] },
      'wait',
    ],
    [
      'takes an attempt of minutes ago for one of this session, where that was never named',
      { recordings: [{ ...stopped, roomSid: null, requestedAt: NOW - 299_999 }] },
      'stopped',
    ],
    [
      'and an older one for one of another session',
      { recordings: [{ ...stopped, roomSid: null, requestedAt: NOW - 300_000 }] },
      'start',
    ],
  ])('%s', (_, news, expected) => {
    expect(judge(news)).toBe(expected);
  });

  it.each<[string, StoredRecording[], number]>([
    ['after a start that is under way', [ended({ status: 'STARTING' })], NOW + 2_000],
    ['after a continuation that is to come', [ended({}, { continuation: 'pending' })], NOW + 2_000],
    ['after one failure', [failed(1_000)], NOW + 2_000],
    ['after two', [failed(1_000), failed(5_000)], NOW + 9_000],
    ['after two since one was active', [failed(1_000), failed(5_000), ended(), failed(9_000)], NOW + 9_000],
    ['after ten, and no longer than that', Array.from({ length: 10 }, () => failed(1_000)), NOW + 119_000],
  ])('looks again %s', (_, recordings, until) => {
    expect(verdictOf({ recordings })).toEqual({ do: 'wait', until });
  });
});
