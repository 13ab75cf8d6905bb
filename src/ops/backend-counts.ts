import { Injectable, Logger } from '@nestjs/common';
import { Clock, awaitWithin } from '../kernel/clock.js';
import { type IncidentKind, Incidents } from '../incidents/incidents.port.js';
import { recordingMadeAt } from '../kernel/ids.js';
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
  readonly unexplained: number;
  readonly oldestUnsettledSeconds: number;
  readonly oldestEffectSeconds: number;
  readonly sweepAges: readonly { readonly sweep: string; readonly seconds: number }[];
  /** In the event log. */
  readonly events: number;
  /** A kind as often as incidents of it are open. */
  readonly openIncidents: readonly IncidentKind[];
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
    private readonly incidents: Incidents,
    private readonly clock: Clock,
  ) {}

  /** Null: Redis could not be asked, or not in time. */
  async read(): Promise<Counts | null> {
    try {
      return await awaitWithin(this.clock, LIMIT_MS, this.readNow(), () => null);
    } catch (error) {
      const failure = redisFailure(error);
      if (!isTallyError(failure, 'REDIS_UNAVAILABLE')) throw error;
      this.log.debug({ message: 'Redis could not be asked for its counts', cause: failure.message });
      return null;
    }
  }

  private async readNow(): Promise<Counts> {
    // The queues' own connection would wait for a Redis that is away; this one says so.
    const { command } = this.redis;
    const [unsettled, effects, { silentSince }, ages, events, unexplained, openIncidents] = await Promise.all(
      [
        command.zcard(keys.unsettled()),
        command.zcard(keys.outbox()),
        this.heard.seen(),
        this.readAges(),
        command.xlen(keys.events()),
        command.get(keys.unexplained()),
        this.incidents.openKinds(),
      ],
    );
    const [inProgress, jobs, workers] = await Promise.all([
      this.readInProgress(),
      this.readJobs(),
      this.workers.read(),
    ]);
    return {
      ...{ inProgress, jobs, unsettled, effects, workers, events, openIncidents, ...ages },
      unexplained: Number(unexplained ?? 0),
      webhooksSilent: silentSince !== null,
    };
  }

  private async readAges(): Promise<
    Pick<Counts, 'oldestUnsettledSeconds' | 'oldestEffectSeconds' | 'sweepAges'>
  > {
    const { command } = this.redis;
    const [[oldest], [, filedAt], sweeps] = await Promise.all([
      // Scores are alike, so that they are in the order of their ids: of the time they were made at.
      command.zrange(keys.unsettled(), 0, 0),
      command.zrange(keys.outbox(), 0, 0, 'WITHSCORES'),
      command.hgetall(keys.lastSweeps()),
    ]);
    const ageOf = (at: number): number => Math.max(0, this.clock.now() - at) / 1_000;
    return {
      oldestUnsettledSeconds: oldest === undefined ? 0 : ageOf(recordingMadeAt(oldest)),
      oldestEffectSeconds: filedAt === undefined ? 0 : ageOf(Number(filedAt)),
      sweepAges: Object.entries(sweeps).flatMap(([sweep, run]) => {
        const { finishedAt } = JSON.parse(run) as { finishedAt: number | null };
        return finishedAt === null ? [] : [{ sweep, seconds: ageOf(finishedAt) }];
      }),
    };
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
