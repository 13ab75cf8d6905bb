import { Args, Context, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Clock } from '../../kernel/clock.js';
import { requireRight } from '../../auth/rights.js';
import { VERSION } from '../../config/version.js';
import type { Actor } from '../../kernel/actor.js';
import { toFirst } from '../../kernel/connection.js';
import { isTallyError } from '../../kernel/errors.js';
import { type Incident, Incidents } from '../../incidents/incidents.port.js';
import {
  type KindAvailability,
  WORKER_KINDS,
  WorkerAvailability,
} from '../../recordings/recorders/worker-availability.port.js';
import { type CheckSeen, type SystemState, SystemWatch } from '../system-watch.js';
import { Unexplained } from '../unexplained.js';

@Resolver('System')
export class SystemResolver {
  constructor(
    private readonly watch: SystemWatch,
    private readonly workers: WorkerAvailability,
    private readonly unexplainedCount: Unexplained,
    private readonly incidentBook: Incidents,
    private readonly clock: Clock,
  ) {}

  @Query('system')
  system(): object {
    return {};
  }

  @ResolveField('state')
  async state(): Promise<SystemState> {
    const states = (await this.watch.now()).map(({ state }) => state);
    if (states.includes('UNAVAILABLE')) return 'UNAVAILABLE';
    return states.includes('DEGRADED') ? 'DEGRADED' : 'OK';
  }

  @ResolveField('version')
  version(@Context('actor') actor: Actor): string {
    admit(actor);
    return VERSION;
  }

  @ResolveField('checks')
  checks(@Context('actor') actor: Actor): Promise<readonly CheckSeen[]> {
    admit(actor);
    return this.watch.now();
  }

  /** Without Redis nobody knows. */
  @ResolveField('recorders')
  async recorders(): Promise<KindAvailability[]> {
    try {
      return await this.workers.read();
    } catch (error) {
      if (!isTallyError(error, 'REDIS_UNAVAILABLE')) throw error;
      const since = this.clock.now();
      return WORKER_KINDS.map((kind) => ({ kind, availability: 'UNKNOWN', since }));
    }
  }

  @ResolveField('unexplained')
  unexplained(@Context('actor') actor: Actor): Promise<number> {
    admit(actor);
    return this.unexplainedCount.count();
  }

  /** Those that are stored; while Redis is away, that it is. */
  @ResolveField('incidents')
  async incidents(
    @Args('first') first: number | null | undefined,
    @Context('actor') actor: Actor,
  ): Promise<Incident[]> {
    admit(actor);
    const most = toFirst(first, 20);
    try {
      return await this.incidentBook.list(most);
    } catch (error) {
      if (!isTallyError(error, 'REDIS_UNAVAILABLE')) throw error;
      const away = (await this.watch.now()).find(({ name, state }) => name === 'redis' && state !== 'OK');
      const { since, detail } = away ?? { since: null, detail: error.message };
      const subject = 'redis';
      return since === null
        ? []
        : [{ id: 'inc_redis', kind: 'dependency_unavailable', subject, detail, openedAt: since }];
    }
  }
}

function admit(actor: Actor): void {
  requireRight(actor, 'administer', 'every-room', 'see more of the system than its state and recorders');
}
