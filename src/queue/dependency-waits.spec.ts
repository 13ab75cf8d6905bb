import { Logger } from '@nestjs/common';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { DependencyWaits } from './dependency-waits.js';

describe('jobs that wait for what they need', () => {
  const told: { readonly event: string; readonly jobs: number; readonly times: number }[] = [];
  const tell = (line: (typeof told)[number]): void => void told.push(line);
  const clock = new VirtualClock();
  let waits: DependencyWaits;

  beforeEach(() => {
    told.length = 0;
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(tell);
    jest.spyOn(Logger.prototype, 'log').mockImplementation(tell);
    waits = new DependencyWaits(clock);
  });
  afterEach(() => jest.restoreAllMocks());

  const putOff = (name: string): number =>
    waits.putOff('LIVEKIT_UNAVAILABLE', 'recordings', name, 'no answer');

  it('are told of once, and once more when the first of them goes on', () => {
    for (const name of ['a', 'b', 'a', 'c']) putOff(name);
    waits.ran('another');
    waits.ran('b');
    waits.ran('a');
    expect(told).toMatchObject([
      { event: 'jobs_wait', jobs: 1, dependency: 'LIVEKIT_UNAVAILABLE', cause: 'no answer' },
      { event: 'jobs_go_on', jobs: 3, times: 4 },
    ]);
  });

  it('are told of again by the minute, with how many there are', async () => {
    putOff('a');
    putOff('b');
    await clock.advance(61_000);
    putOff('b');
    expect(told).toMatchObject([
      { event: 'jobs_wait', jobs: 1 },
      { event: 'jobs_wait', jobs: 2, times: 3, forSeconds: 61 },
    ]);
  });
});
