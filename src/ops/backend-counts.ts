import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import { Queues } from '../queue/queues.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { redisFailure } from '../redis/redis-failure.js';
import { WebhooksHeard } from './webhooks-heard.js';
import {
  type KindAvailability,
  WorkerAvailability,
} from '../recordings/recorders/worker-availability.port.js';
import { RecordingStore } from '../recordings/store/recording.store.js';

const IN_PROGRESS = ['STARTING', 'ACTIVE', 'ENDING'] as const;
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
/** A page of metrics that takes longer is given up by who asked for it. */
const LIMIT_MS = 3_000;

export interface Counts {
  readonly inProgress: Readonly<Record<string, number>>;
  readonly jobs: readonly { readonly queue: string; readonly state: string; readonly count: number }[];
  /** Recordings that somebody has to come back to. */
  readonly unsettled: number;
  /** Effects that are not yet in a queue. */
  readonly effects: number;
  /** No webhook tells of what LiveKit's egresses do. */
  readonly webhooksSilent: boolean;
  readonly workers: readonly KindAvailability[];
}

/** How much of everything stands in Redis now. */
@Injectable()
export class BackendCounts {
  private readonly log = new Logger('Metrics');

  constructor(
    private readonly redis: RedisConnections,
    private readonly queues: Queues,
    private readonly recordings: RecordingStore,
    private readonly heard: WebhooksHeard,
    private readonly workers: WorkerAvailability,
    private readonly clock: Clock,
  ) {}

  /** Null: Redis could not be asked, or not in time. */
  async read(): Promise<Counts | null> {
    const done = new AbortController();
    const late = this.clock.sleep(LIMIT_MS, done.signal).then(
      () => null,
      () => null,
    );
    try {
      return await Promise.race([this.readNow(), late]);
    } catch (error) {
      const failure = redisFailure(error);
      if (!isTallyError(failure, 'REDIS_UNAVAILABLE')) throw error;
      this.log.debug({ message: 'Redis could not be asked for its counts', cause: failure.message });
      return null;
    } finally {
      done.abort();
    }
  }

  private async readNow(): Promise<Counts> {
    // The queues' own connection would wait for a Redis that is away; this one says so.
    const [unsettled, effects, { silentSince }] = await Promise.all([
      this.redis.command.zcard(keys.unsettled()),
      this.redis.command.zcard(keys.outbox()),
      this.heard.seen(),
    ]);
    const [inProgress, jobs, workers] = await Promise.all([
      this.readInProgress(),
      this.readJobs(),
      this.workers.read(),
    ]);
    return { inProgress, jobs, unsettled, effects, workers, webhooksSilent: silentSince !== null };
  }

  private async readInProgress(): Promise<Record<string, number>> {
    const counted = IN_PROGRESS.map(async (status) => {
      const { total } = await this.recordings.page({
        rooms: null,
        statuses: [status],
        requestedAfter: null,
        requestedBefore: null,
        labels: {},
        field: 'REQUESTED_AT',
        direction: 'DESC',
        first: 1,
        after: null,
      });
      return [status, total ?? 0] as const;
    });
    return Object.fromEntries(await Promise.all(counted));
  }

  private async readJobs(): Promise<Counts['jobs']> {
    const counted = this.queues.all.map(async (queue) => {
      const counts = await queue.getJobCounts(...STATES);
      return STATES.map((state) => ({ queue: queue.name, state, count: counts[state] ?? 0 }));
    });
    return (await Promise.all(counted)).flat();
  }
}
