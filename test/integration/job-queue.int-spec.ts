import type { DiscoveryService } from '@nestjs/core';
import { z } from 'zod';
import type { Config } from '../../src/config/config.js';
import { SystemClock } from '../../src/kernel/clock.js';
import { TallyError } from '../../src/kernel/errors.js';
import { BullmqJobQueue } from '../../src/queue/bullmq-job-queue.js';
import {
  again,
  defineJob,
  done,
  JobHandler,
  type JobDefinition,
  type JobOutcome,
} from '../../src/queue/define-job.js';
import { DependencyWaits } from '../../src/queue/dependency-waits.js';
import { JobRunner } from '../../src/queue/job-runner.js';
import { Queues } from '../../src/queue/queues.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { aConfig } from '../support/a-config.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

interface Payload {
  readonly subject: string;
}
const define = (name: string, mode: 'wake' | 'once', attempts = 5): JobDefinition<Payload> =>
  defineJob<Payload>({
    queue: 'recordings',
    name,
    payload: z.object({ subject: z.string() }),
    key: ({ subject }) => subject,
    mode,
    options: { attempts, backoffMs: 20, ...(mode === 'once' && { keepSeconds: 60 }) },
  });

const wakeUp = define('wake-up', 'wake');
const onceOnly = define('once-only', 'once');
const clock = new SystemClock();

/** Notes every run, and does in each what the test says. */
class Noting extends JobHandler<Payload> {
  readonly runs: { readonly subject: string; readonly at: number }[] = [];
  act: (subject: string, run: number) => Promise<JobOutcome> = async () => done;

  constructor(readonly definition: JobDefinition<Payload>) {
    super();
  }

  async handle({ subject }: Payload): Promise<JobOutcome> {
    this.runs.push({ subject, at: clock.now() });
    return this.act(subject, this.runsOf(subject));
  }

  runsOf(subject: string): number {
    return this.runs.filter((run) => run.subject === subject).length;
  }
}

/** Held back until the test lets go. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

describe('the job queue', () => {
  let server: RedisServer;
  let connections: RedisConnections;
  let queues: Queues;
  let jobs: BullmqJobQueue;
  let runner: JobRunner;
  const waking = new Noting(wakeUp);
  const once = new Noting(onceOnly);
  const runnerOf = (handlers: readonly JobHandler<Payload>[]): JobRunner => {
    const discovery = { getProviders: () => handlers.map((instance) => ({ instance })) };
    const waits = new DependencyWaits(clock);
    return new JobRunner(config, discovery as unknown as DiscoveryService, connections, jobs, clock, waits);
  };
  let config: Config;
  let made = 0;
  let subject = '';

  beforeAll(async () => {
    server = await startRedisServer({ appendonly: true });
    config = aConfig({ REDIS_URL: server.url });
    connections = new RedisConnections(config);
    queues = new Queues(connections);
    jobs = new BullmqJobQueue(queues);
    runner = runnerOf([waking, once]);
    runner.onModuleInit();
    runner.onApplicationBootstrap();
  });
  afterAll(async () => {
    await runner.onApplicationShutdown();
    await queues.onApplicationShutdown();
    connections.onApplicationShutdown();
    await server.close();
  });
  beforeEach(() => {
    subject = `subject-${(made += 1)}`;
    waking.act = async () => done;
    once.act = async () => done;
  });

  const ran = (handler: Noting, times: number): Promise<void> =>
    eventually(() => handler.runsOf(subject) >= times || `${handler.runsOf(subject)} of ${times} runs`);

  it('makes one more run of a wake-up that comes while the job runs', async () => {
    const { open, passed } = gate();
    waking.act = async (_subject, run) => {
      if (run === 1) await passed;
      return done;
    };
    await jobs.add(wakeUp, { subject });
    await ran(waking, 1);
    await Promise.all(Array.from({ length: 10 }, () => jobs.add(wakeUp, { subject })));
    open();
    await ran(waking, 2);
    await eventually(
      async () =>
        (await queues.get('recordings').getJobCounts('wait', 'active', 'delayed')).active === 0 ||
        'it still runs',
    );
    expect(waking.runsOf(subject)).toBe(2);
  });

  it('runs again after as long as the handler asked for, and a timer swallows no wake-up', async () => {
    waking.act = async (_subject, run) => (run < 3 ? again(150) : run === 3 ? again(60_000) : done);
    await jobs.add(wakeUp, { subject });
    await ran(waking, 3);
    const [first, second, third] = waking.runs.filter((run) => run.subject === subject);
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(140);
    expect(third!.at - second!.at).toBeGreaterThanOrEqual(140);
    await jobs.add(wakeUp, { subject });
    await ran(waking, 4);
  });

  it('runs a job that is to run once only once, however often it is added, also after it has run', async () => {
    await Promise.all(Array.from({ length: 10 }, () => jobs.add(onceOnly, { subject })));
    await ran(once, 1);
    await jobs.add(onceOnly, { subject });
    await jobs.add(onceOnly, { subject: `${subject}-after` });
    await eventually(() => once.runsOf(`${subject}-after`) === 1 || 'the one after it has not run');
    expect(once.runsOf(subject)).toBe(1);
  });

  it('tries a job again that failed, and gives one up whose failure can not mend itself', async () => {
    waking.act = async (_subject, run) => {
      if (run < 3) throw new TallyError('STORAGE_UNAVAILABLE', 'away');
      return done;
    };
    await jobs.add(wakeUp, { subject });
    await ran(waking, 3);
    once.act = async () => {
      throw new TallyError('RECORDING_NOT_FOUND', 'gone');
    };
    await jobs.add(onceOnly, { subject });
    await eventually(
      async () =>
        (await queues.get('recordings').getJob(`once-only-${subject}`))?.failedReason === 'gone' ||
        'it has not failed',
    );
    expect(once.runsOf(subject)).toBe(1);
  });

  it.each(['REDIS_UNAVAILABLE', 'LIVEKIT_UNAVAILABLE', 'STORAGE_UNAVAILABLE'] as const)(
    'goes on for as long as what it needs is unavailable, whatever its tries (%s)',
    async (code) => {
      await Promise.all(
        [waking, once].map(async (handler) => {
          handler.act = async (_subject, run) => {
            if (run === 1) throw new TallyError(code, 'away');
            return done;
          };
          const { definition } = handler;
          await jobs.add({ ...definition, options: { ...definition.options, attempts: 1 } }, { subject });
          await ran(handler, 2);
        }),
      );
    },
  );

  it('runs what is woken while it waits to be tried again soon, however long it would wait', async () => {
    waking.act = async (_subject, run) => {
      if (run === 1) throw new Error('it fails');
      return done;
    };
    const patient = { ...wakeUp, options: { ...wakeUp.options, backoffMs: 600_000 } };
    await jobs.add(patient, { subject });
    await eventually(
      async () => (await queues.get('recordings').getDelayedCount()) > 0 || 'it does not wait',
    );
    await jobs.add(patient, { subject });
    await ran(waking, 2);
  });

  it('runs what an older version left in a queue that is used no more', async () => {
    await queues.get('effects').add(onceOnly.name, { subject });
    await ran(once, 1);
  });

  it('ends the boot where a job has no handler, two of them, or a handler no job', () => {
    expect(() => runnerOf([waking]).onModuleInit()).toThrow(/^The job once-only has no handler/);
    expect(() => runnerOf([waking, once, once]).onModuleInit()).toThrow(
      /^The job once-only has two handlers/,
    );
    const stray = new Noting({ ...wakeUp, name: 'stray' });
    expect(() => runnerOf([waking, once, stray]).onModuleInit()).toThrow(/^Noting handles no job/);
  });

  it('loses nothing that was added when Redis is killed and started again', async () => {
    const { open, passed } = gate();
    waking.act = async () => {
      await passed;
      return done;
    };
    const subjects = Array.from({ length: 20 }, (_, i) => `${subject}-${i}`);
    for (const name of subjects) await jobs.add(wakeUp, { subject: name }, { inMs: 400 });
    await server.kill();
    await server.restart();
    open();
    await eventually(
      () =>
        subjects.every((name) => waking.runsOf(name) >= 1) ||
        `${subjects.filter((name) => waking.runsOf(name) === 0)} did not run`,
    );
  });

  it('refuses to add while Redis is away, and goes on when it is back', async () => {
    await server.kill();
    await expect(jobs.add(wakeUp, { subject })).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await server.restart();
    const next = `${subject}-next`;
    await eventually(
      async () => {
        await jobs.add(wakeUp, { subject: next });
        return waking.runsOf(next) > 0 || 'nothing runs yet';
      },
      { withinMs: 15_000, everyMs: 200 },
    );
    // What was refused is kept nowhere: its sender sends it again.
    expect(waking.runsOf(subject)).toBe(0);
  });
});
