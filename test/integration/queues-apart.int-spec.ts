import type { DiscoveryService } from '@nestjs/core';
import { SystemClock } from '../../src/kernel/clock.js';
import { BullmqJobQueue } from '../../src/queue/bullmq-job-queue.js';
import {
  definedJobs,
  done,
  type JobDefinition,
  JobHandler,
  type JobOutcome,
} from '../../src/queue/define-job.js';
import { DependencyWaits } from '../../src/queue/dependency-waits.js';
import { JobRunner } from '../../src/queue/job-runner.js';
import { Queues } from '../../src/queue/queues.js';
import { dropRoomMetadata } from '../../src/recordings/jobs/drop-room-metadata.job.js';
import { removeRecorder } from '../../src/recordings/jobs/remove-recorder.job.js';
import { signalRoom } from '../../src/recordings/jobs/signal-room.job.js';
import { stopEgress } from '../../src/recordings/jobs/stop-egress.job.js';
import { writeMetadata } from '../../src/recordings/jobs/write-metadata.job.js';
import { RedisConnections } from '../../src/redis/redis.connections.js';
import { aConfig } from '../support/a-config.js';
import { aRecording } from '../support/builders.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

const OF_LIVEKIT: ReadonlySet<string> = new Set([stopEgress.name, removeRecorder.name, signalRoom.name]);
/** More than any queue runs at a time. */
const MANY = 150;

describe('what follows from a change', () => {
  let server: RedisServer;
  let connections: RedisConnections;
  let queues: Queues;
  let jobs: BullmqJobQueue;
  let runner: JobRunner;
  let livekitAnswers = (): void => undefined;
  const answered = new Promise<void>((resolve) => (livekitAnswers = resolve));
  const ran: string[] = [];

  /** Of a LiveKit that takes its time, and a bucket that answers at once. */
  class Slow extends JobHandler<unknown> {
    constructor(readonly definition: JobDefinition<unknown>) {
      super();
    }

    async handle(): Promise<JobOutcome> {
      const { name } = this.definition;
      if (OF_LIVEKIT.has(name)) await answered;
      ran.push(name);
      return done;
    }
  }

  beforeAll(async () => {
    server = await startRedisServer();
    const config = aConfig({ REDIS_URL: server.url });
    const clock = new SystemClock();
    connections = new RedisConnections(config);
    queues = new Queues(connections);
    jobs = new BullmqJobQueue(queues);
    const handlers = [...definedJobs.values()].map((definition) => ({ instance: new Slow(definition) }));
    const discovery = { getProviders: () => handlers } as unknown as DiscoveryService;
    runner = new JobRunner(config, discovery, connections, jobs, clock, new DependencyWaits(clock));
    runner.onModuleInit();
    runner.onApplicationBootstrap();
  });
  afterAll(async () => {
    livekitAnswers();
    await runner.onApplicationShutdown();
    await queues.onApplicationShutdown();
    connections.onApplicationShutdown();
    await server.close();
  });

  it('is written into the bucket while LiveKit answers nothing of what stands before it', async () => {
    const { id: recordingId, roomId, status, version, error } = aRecording();
    for (let i = 0; i < MANY; i += 1) {
      const egress = { recordingId, roomId, egressId: `EG_${i}` };
      await jobs.add(stopEgress, egress);
      await jobs.add(removeRecorder, egress);
      await jobs.add(signalRoom, { recordingId, roomId, status, version: version + i, error });
    }
    await jobs.add(writeMetadata, { recordingId });
    await jobs.add(dropRoomMetadata, { roomId });
    await eventually(() => ran.length === 2 || `of the bucket was done: ${ran}`);
    expect(ran.toSorted()).toEqual([dropRoomMetadata.name, writeMetadata.name]);
  });
});
