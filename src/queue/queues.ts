import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import { TallyError } from '../kernel/errors.js';
import { QUEUE_PREFIX } from '../redis/keys.js';
import { type RedisClient, RedisConnections } from '../redis/redis.connections.js';
import { type QueueName, QUEUE_NAMES } from './queue-definitions.js';

/** How long who adds waits for a connection, and then for an answer. */
const READY_LIMIT_MS = 2_000;
const ANSWER_LIMIT_MS = 3_000;

/** The queues of the product, for who adds to them and for who shows them. */
@Injectable()
export class Queues implements OnApplicationShutdown {
  readonly all: readonly Queue[];
  private readonly byName = new Map<QueueName, Queue>();
  private readonly connection: RedisClient;
  private readying: Promise<void> | null = null;

  constructor(connections: RedisConnections) {
    const connection = connections.forProducers('queues', ANSWER_LIMIT_MS);
    this.connection = connection;
    this.all = QUEUE_NAMES.map((name) => {
      const queue = new Queue(name, { connection, prefix: QUEUE_PREFIX });
      // The connection itself reports that it is away; the same news from every queue would drown it.
      queue.on('error', () => undefined);
      this.byName.set(name, queue);
      return queue;
    });
  }

  get(name: QueueName): Queue {
    const queue = this.byName.get(name);
    if (queue === undefined) throw new Error(`there is no queue ${name}`);
    return queue;
  }

  /** Nothing is left in this process' memory for a Redis that is unavailable. Throws REDIS_UNAVAILABLE. */
  async whenReady(): Promise<void> {
    const { connection } = this;
    if (connection.status === 'ready') return;
    this.readying ??= new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        connection.off('ready', end);
        this.readying = null;
        resolve();
      };
      const timer = setTimeout(end, READY_LIMIT_MS);
      connection.once('ready', end);
    });
    await this.readying;
    if ((connection.status as string) !== 'ready') {
      throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer; try again in a moment');
    }
  }

  async onApplicationShutdown(): Promise<void> {
    // A queue would wait for a Redis that is away; the connection itself is closed with the others.
    if (this.connection.status !== 'ready') return;
    await Promise.allSettled(this.all.map((queue) => queue.close()));
  }
}
