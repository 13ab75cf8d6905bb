import { aRecording, T0 } from '../../../test/support/builders.js';
import { coverageOf } from './coverage.js';
import type { StoredRecording, Upkeep } from './recording.js';

const at = (seconds: number): number => T0 + seconds * 1_000;

function part(
  [requested, started, ended]: [number, number | null, number],
  durationSeconds: number | null,
  fields: Partial<StoredRecording> = {},
  upkeep: Partial<Upkeep> = {},
): StoredRecording {
  return aRecording({
    ...{ status: 'COMPLETE', endReason: 'STOP_REQUESTED', requestedAt: at(requested), endedAt: at(ended) },
    startedAt: started === null ? null : at(started),
    hasMedia: durationSeconds !== null,
    durationMs: durationSeconds === null ? null : durationSeconds * 1_000,
    ...fields,
    upkeep,
  });
}
const lost = { status: 'FAILED', endReason: 'RECORDER_LOST' } as const;

describe('what of a meeting is in its media', () => {
  it('is all but the start of a recording that was stopped', () => {
    expect(coverageOf([part([0, 4, 64], 60)])).toEqual({
      expectedMs: 64_000,
      coveredMs: 60_000,
      gaps: [{ from: at(0), to: at(4), cause: 'STARTING' }],
    });
  });

  it('leaves out what a lost worker had recorded, and the time until the next one', () => {
    const chain = [part([0, 4, 100], null, lost), part([110, 114, 214], 100)];
    expect(coverageOf(chain)).toEqual({
      expectedMs: 214_000,
      coveredMs: 100_000,
      gaps: [
        { from: at(0), to: at(4), cause: 'STARTING' },
        { from: at(4), to: at(110), cause: 'RECORDER_LOST' },
        { from: at(110), to: at(114), cause: 'STARTING' },
      ],
    });
  });

  it('counts a continuation that never began, and the tail of a file that ends early', () => {
    const chain = [
      part([0, 2, 50], 30, { endReason: 'RECORDER_LEFT' }),
      part([52, null, 72], null, { status: 'FAILED', endReason: 'START_TIMEOUT' }),
      part([75, 78, 90], 12),
    ];
    expect(coverageOf(chain)).toEqual({
      expectedMs: 90_000,
      coveredMs: 42_000,
      gaps: [
        { from: at(0), to: at(2), cause: 'STARTING' },
        { from: at(32), to: at(52), cause: 'RECORDER_LEFT' },
        { from: at(52), to: at(75), cause: 'START_TIMEOUT' },
        { from: at(75), to: at(78), cause: 'STARTING' },
      ],
    });
  });

  it('takes a tail of less than a second for the difference of two clocks, and more for a gap', () => {
    const [whole, short] = [part([0, 4, 64.9], 60), part([0, 4, 65], 60)];
    expect(coverageOf([whole])).toMatchObject({ expectedMs: 64_000, gaps: [{ cause: 'STARTING' }] });
    expect(coverageOf([short])).toMatchObject({
      expectedMs: 65_000,
      gaps: [{ cause: 'STARTING' }, { from: at(64), to: at(65), cause: 'STOP_REQUESTED' }],
    });
  });

  it('misses nothing twice where parts overlap, and joins what has one cause', () => {
    const chain = [
      part([0, 4, 50], null, lost),
      part([40, null, 60], null, { status: 'FAILED', endReason: 'RECORDER_LOST' }),
      part([60, 60, 70], 10),
    ];
    expect(coverageOf(chain)).toEqual({
      expectedMs: 70_000,
      coveredMs: 10_000,
      gaps: [
        { from: at(0), to: at(4), cause: 'STARTING' },
        { from: at(4), to: at(60), cause: 'RECORDER_LOST' },
      ],
    });
  });

  it('keeps gaps of one cause apart that media lies between', () => {
    const chain = [part([0, 4, 30], 16, lost), part([30, 30, 60], 20, { ...lost, status: 'COMPLETE' })];
    expect(coverageOf(chain)?.gaps).toEqual([
      { from: at(0), to: at(4), cause: 'STARTING' },
      { from: at(20), to: at(30), cause: 'RECORDER_LOST' },
      { from: at(50), to: at(60), cause: 'RECORDER_LOST' },
    ]);
  });

  it('is not known while it goes on, while somebody may still go on, and of media that does not say how long it is', () => {
    expect(coverageOf([part([0, 4, 64], 60, { status: 'ACTIVE', endedAt: null })])).toBeNull();
    expect(coverageOf([part([0, 4, 64], null, lost, { continuation: 'pending' })])).toBeNull();
    expect(coverageOf([part([0, 4, 64], 60, { durationMs: null })])).toBeNull();
    expect(coverageOf([part([0, 4, 64], 60, { startedAt: null })])).toBeNull();
    expect(coverageOf([part([0, 4, 64], 60, { endedAt: null })])).toBeNull();
    expect(coverageOf([part([0, 4, 64], 60, { status: 'ENDING' })])).toBeNull();
    expect(coverageOf([])).toBeNull();
  });
});
