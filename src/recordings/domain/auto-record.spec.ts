import { aRecording, T0 } from '../../../test/support/builders.js';
import { type AutoRecordCase, autoRecordVerdict } from './auto-record.js';
import type { StoredRecording, Upkeep } from './recording.js';

const NOW = T0 + 600_000;
const SID = 'RM_1';
const ended = (fields: Partial<StoredRecording> = {}, upkeep: Partial<Upkeep> = {}): StoredRecording =>
  aRecording({
    ...{ status: 'COMPLETE', endReason: 'EGRESS_FAILED', roomSid: SID, startedAt: T0, endedAt: NOW - 60_000 },
    ...fields,
    upkeep,
  } as Partial<StoredRecording>);

function judge(news: Partial<AutoRecordCase>): string {
  const verdict = autoRecordVerdict({
    ...{ from: 2, sid: SID, publishers: 2, recordings: [], recordedByOthers: false, now: NOW },
    ...news,
  });
  return verdict.do === 'nothing' ? verdict.why : verdict.do;
}

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
  ])('%s', (_, news, expected) => {
    expect(judge(news)).toBe(expected);
  });
});
