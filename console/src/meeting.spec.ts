import type { Recording } from './api/contract.js';
import { playedAfter, stepsOf } from './meeting.js';

const at = (s: number): string => new Date(Date.UTC(2030, 0, 1) + s * 1_000).toISOString();

function part(id: string, more: Partial<Recording>): Recording {
  return {
    ...{ id, status: 'COMPLETE', mediaPath: `/recordings/${id}/media`, requestedAt: at(0), endReason: null },
    ...{ startedAt: null, endedAt: null, durationMs: null },
    ...more,
  } as Recording;
}

const first = part('rec_1', {
  ...{
    requestedAt: at(0),
    startedAt: at(2),
    durationMs: 58_000,
    endedAt: at(90),
    endReason: 'RECORDER_LOST',
  },
});
const third = part('rec_3', {
  ...{ requestedAt: at(100), startedAt: at(102), durationMs: 30_000, endedAt: at(132) },
  endReason: 'STOP_REQUESTED',
});
const lost = { mediaPath: null, status: 'FAILED' } as const;
const second = part('rec_2', {
  ...{ ...lost, requestedAt: at(91), startedAt: at(92), endedAt: at(99), endReason: 'EGRESS_FAILED' },
});
const kinds = (parts: readonly Recording[]): unknown[] =>
  stepsOf(parts).map((step) =>
    step.kind === 'gap' ? [step.ms / 1_000, step.why] : `${step.kind} ${step.n}`,
  );

describe('a meeting that was recorded in parts', () => {
  it('has its gap between two parts, and says why', () => {
    expect(kinds([first, third])).toEqual(['part 1', [42, 'the egress worker died'], 'part 2']);
  });

  it('counts a part without media as missing', () => {
    expect(kinds([first, second, third])).toEqual(['part 1', [42, 'the egress failed'], 'part 3']);
    expect(kinds([first, second])).toEqual(['part 1', [39, 'the egress failed']]);
  });

  it('has no gap where one part begins as the other ends', () => {
    const close = { ...third, startedAt: at(60.5) };
    expect(kinds([first, close])).toEqual(['part 1', 'part 2']);
  });

  it('shows what is recorded now, and no gap before that has begun', () => {
    const running = part('rec_4', { mediaPath: null, status: 'STARTING', requestedAt: at(91) });
    expect(kinds([first, running])).toEqual(['part 1', 'running 2']);
    expect(kinds([first, { ...running, status: 'ACTIVE', startedAt: at(93) }])).toEqual([
      ...['part 1', [33, 'the egress worker died'], 'running 2'],
    ]);
  });

  it('plays what has media, one after the other, to the last', () => {
    expect(playedAfter([first, second, third], 'rec_1')?.id).toBe('rec_3');
    expect(playedAfter([first, second, third], 'rec_3')).toBeNull();
    expect(playedAfter([first], 'rec_9')).toBeNull();
  });
});
