import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BullmqJobQueue } from './bullmq-job-queue.js';
import { DependencyWaits } from './dependency-waits.js';
import { JobQueue } from './define-job.js';
import { JobRunner } from './job-runner.js';
import { LocalJobs } from './local-jobs.js';
import { Queues } from './queues.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [Queues, { provide: JobQueue, useClass: BullmqJobQueue }, DependencyWaits, JobRunner, LocalJobs],
  exports: [JobQueue, LocalJobs, Queues],
})
export class QueueModule {}
