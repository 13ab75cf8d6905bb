import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { QUEUE_PREFIX } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';
import type { QueueName } from './define-job.js';

const QUEUES: readonly QueueName[] = [
  'recordings',
  'recorders',
  'timers',
  'inbox',
  'effects',
  'deletions',
  'sweeps',
];

/** The queues of the product, for who adds to them and for who shows them. */
@Injectable()
export class Queues implements OnApplicationShutdown {
  readonly all: readonly Queue[];
  private readonly byName = new Map<QueueName, Queue>();
  private readonly connection: Redis;

  constructor(connections: RedisConnections) {
    const connection = connections.forQueues('queues');
    this.connection = connection;
    this.all = QUEUES.map((name) => {
      const queue = new Queue(name, { connection, prefix: QUEUE_PREFIX });
      // The connection itself reports that it is away; the same news from every queue would drown it.
      queue.on('error', () => undefined);
      this.byName.set(name, queue);
      return queue;
    });
  }

  get(name: QueueName): Queue {
    return this.byName.get(name)!;
  }

  async onApplicationShutdown(): Promise<void> {
    // A queue would wait for a Redis that is away; the connection itself is closed with the others.
    if (this.connection.status !== 'ready') return;
    await Promise.allSettled(this.all.map((queue) => queue.close()));
  }
}
