import type { DiscoveryService } from '@nestjs/core';
import { z } from 'zod';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { again, defineJob, done, JobHandler, type JobOutcome, JobQueue } from './define-job.js';
import { LocalJobs } from './local-jobs.js';

const wake = defineJob<{ id: string }>({
  queue: 'records',
  name: 'local-jobs-spec',
  payload: z.object({ id: z.string() }),
  key: ({ id }) => id,
  mode: 'wake',
  options: { attempts: 1, backoffMs: 1 },
});

class Handler extends JobHandler<{ id: string }> {
  readonly definition = wake;
  readonly runs: string[] = [];
  outcome: () => Promise<JobOutcome> = async () => done;

  handle({ id }: { id: string }): Promise<JobOutcome> {
    this.runs.push(id);
    return this.outcome();
  }
}

class Queue extends JobQueue {
  readonly added: unknown[] = [];
  isAway = false;

  async add<P>(_job: unknown, payload: P, { inMs = 0 } = {}): Promise<void> {
    if (this.isAway) throw new Error('no queue');
    this.added.push([payload, inMs]);
  }
}

describe('jobs that are run at once', () => {
  let handler: Handler;
  let queue: Queue;
  let local: LocalJobs;
  beforeEach(() => {
    handler = new Handler();
    queue = new Queue();
    const discovery = { getProviders: () => [{ instance: {} }, { instance: handler }] };
    local = new LocalJobs(discovery as unknown as DiscoveryService, queue, new VirtualClock());
  });

  it('are done without the queue', async () => {
    await local.run(wake, { id: 'a' });
    expect([handler.runs, queue.added]).toEqual([['a'], []]);
  });

  it('are left to the queue when they fail, or are to be run again later', async () => {
    handler.outcome = () => Promise.reject(new Error('not now'));
    await local.run(wake, { id: 'a' });
    handler.outcome = async () => again(700);
    await local.run(wake, { id: 'b' });
    expect(queue.added).toEqual([
      [{ id: 'a' }, 0],
      [{ id: 'b' }, 700],
    ]);
  });

  it('fail where the queue does not take them either', async () => {
    queue.isAway = true;
    handler.outcome = () => Promise.reject(new Error('not now'));
    await expect(local.run(wake, { id: 'a' })).rejects.toThrow('no queue');
  });

  it('run once more for all who came during a run, and never twice at a time', async () => {
    let ends: () => void = () => undefined;
    handler.outcome = () => new Promise((resolve) => (ends = () => resolve(done)));
    const all = [local.run(wake, { id: 'a' }), local.run(wake, { id: 'a' }), local.run(wake, { id: 'a' })];
    expect(handler.runs).toEqual(['a']);
    ends();
    await new Promise(setImmediate);
    expect(handler.runs).toEqual(['a', 'a']);
    ends();
    await Promise.all(all);
    expect(handler.runs).toEqual(['a', 'a']);
    handler.outcome = async () => done;
    await local.run(wake, { id: 'a' });
    expect(handler.runs).toHaveLength(3);
  });

  it('are more than this process takes at some time', async () => {
    handler.outcome = () => new Promise(() => undefined);
    for (let i = 0; i < 256; i += 1) void local.run(wake, { id: `${i}` });
    await local.run(wake, { id: 'one more' });
    expect(queue.added).toEqual([[{ id: 'one more' }, 0]]);
  });
});
