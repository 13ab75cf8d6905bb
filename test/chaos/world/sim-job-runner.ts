import { ERROR_TABLE, TallyError } from '../../../src/kernel/errors.js';
import { isDependencyCode } from '../../../src/queue/dependency-waits.js';
import { type JobDefinition, JobHandler, JobQueue } from '../../../src/queue/define-job.js';
import type { Dice } from './dice.js';
import type { Incarnation } from './incarnation.js';
import type { SimClock } from './sim-clock.js';
import type { JobTables, SimJob } from './sim-job-queue.js';
import type { SimRedis } from './sim-redis.js';
import type { Trace } from './trace.js';

const ADD_LIMIT_MS = 2_000;
/** What a process that died held is another's after this: its lock runs out, and two looks find it gone. */
const STALLED_MS = [5_000, 8_000] as const;
const STALLED_LOOK_MS = 500;
const PUT_OFF_MS = 2_000;

/** The queue as one instance adds to it. */
export class SimJobQueue extends JobQueue {
  constructor(
    private readonly tables: JobTables,
    private readonly redis: SimRedis,
    private readonly of: Incarnation,
  ) {
    super();
  }

  async add<P>(definition: JobDefinition<P>, payload: P, { inMs = 0 } = {}): Promise<void> {
    const data = definition.payload.parse(payload);
    const key = definition.key(data);
    if (key.includes(':')) throw new Error(`a job's key must not hold a colon: ${key}`);
    await this.of.pass(`add ${definition.name} ${inMs > 0 ? `in ${Math.round(inMs)} ms` : ''}`, () => {
      const adding = this.redis.patient(() => this.tables.add(definition, data, inMs));
      if (this.redis.isUp) return adding;
      const given = this.of.clock.sleep(ADD_LIMIT_MS).then(() => {
        throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer; try again in a moment');
      });
      // Whichever comes first is the answer; an add that arrives late does no harm.
      given.catch(() => undefined);
      return Promise.race([adding, given]);
    });
  }
}

export interface Worker {
  readonly of: Incarnation;
  readonly queue: JobQueue;
  readonly handlers: ReadonlyMap<string, JobHandler<unknown>>;
}

/** The workers of all instances: whoever lives takes what is ready; what a dead one held is another's some seconds later. */
export class JobFloor {
  private readonly workers = new Set<Worker>();
  private readonly running = new Map<string, Incarnation>();
  private readonly unheldSince = new Map<string, number>();
  private timer: { readonly at: number; readonly cancel: () => void } | null = null;
  private lookingSoon = false;
  private taken = 0;
  /** Errors that no handler should throw, and jobs that failed for good. */
  readonly failures: string[] = [];

  constructor(
    private readonly world: { clock: SimClock; redis: SimRedis; dice: Dice; trace: Trace },
    private readonly tables: JobTables,
  ) {
    tables.changed = () => this.lookSoon();
    world.redis.onUp.push(() => this.lookSoon());
    this.lookForStalled();
  }

  join(worker: Worker): void {
    this.workers.add(worker);
    this.lookSoon();
  }

  leave(worker: Worker): void {
    this.workers.delete(worker);
  }

  lookSoon(): void {
    if (this.lookingSoon) return;
    this.lookingSoon = true;
    this.world.clock.after(0, () => {
      this.lookingSoon = false;
      this.look();
    });
  }

  private look(): void {
    const { redis, dice, clock } = this.world;
    const awake = [...this.workers].filter(({ of }) => of.runs);
    if (!redis.isUp || awake.length === 0) return;
    for (const job of this.tables.ready()) {
      const worker = dice.pick(awake);
      this.taken += 1;
      const token = `run-${this.taken}`;
      const taken = this.tables.take(job, token);
      this.running.set(token, worker.of);
      clock.after(dice.chance(0.9) ? 0 : dice.int(1, 25), () => void this.run(worker, taken, token));
    }
    this.setTimer();
  }

  private async run({ of, queue, handlers }: Worker, job: SimJob, token: string): Promise<void> {
    await of.standStill();
    const failed = await this.attempt(queue, handlers, job);
    await of.pass(`${failed === null ? 'finish' : 'fail'} ${job.name}`, () =>
      this.world.redis.patient(() => {
        if (failed === null) this.tables.complete(job.id, token);
        else if (failed === 'put-off') this.tables.putOff(job.id, token, PUT_OFF_MS);
        else this.tables.fail(job.id, token, failed === 'for-good');
      }),
    );
    this.running.delete(token);
  }

  private async attempt(
    queue: JobQueue,
    handlers: Worker['handlers'],
    job: SimJob,
  ): Promise<'again' | 'for-good' | 'put-off' | null> {
    const handler = handlers.get(job.name);
    if (!handler) {
      this.failures.push(`no handler for job ${job.name}`);
      return 'for-good';
    }
    const lastAttempt = job.attemptsMade + 1 >= job.attempts;
    try {
      const payload = handler.definition.payload.parse(job.data);
      const outcome = await handler.handle(payload);
      if (outcome.again) await queue.add(handler.definition, payload, { inMs: outcome.inMs });
      return null;
    } catch (error) {
      const { mode, options } = handler.definition;
      const isPutOff = error instanceof TallyError && isDependencyCode(error.code) && !options.skippable;
      if (!isPutOff) return this.judge(job, error, lastAttempt);
      this.world.trace.add('job', `${job.name} waits: ${error.message}`);
      if (mode === 'once') return 'put-off';
      return queue.add(handler.definition, job.data, { inMs: PUT_OFF_MS }).then(
        () => null,
        () => 'again' as const,
      );
    }
  }

  private judge(job: SimJob, error: unknown, lastAttempt: boolean): 'again' | 'for-good' {
    const words = error instanceof Error ? error.message : String(error);
    this.world.trace.add('job', `${job.name} fails: ${words}`);
    if (!(error instanceof TallyError)) {
      this.failures.push(`job ${job.name} threw ${error instanceof Error ? error.stack : words}`);
    }
    const forGood = error instanceof TallyError && !ERROR_TABLE[error.code].retry;
    // The next pass of a sweep is another run of it.
    const comesAgain = job.name === 'run-sweep' && !forGood;
    if (forGood || (lastAttempt && !comesAgain))
      this.failures.push(`job ${job.name} failed for good: ${words}`);
    return forGood ? 'for-good' : 'again';
  }

  private setTimer(): void {
    const at = this.tables.nextTimer();
    if (at === this.timer?.at) return;
    this.timer?.cancel();
    this.timer = null;
    if (at === null) return;
    const cancel = this.world.clock.after(at - this.world.clock.now(), () => {
      this.timer = null;
      this.look();
    });
    this.timer = { at, cancel };
  }

  private lookForStalled(): void {
    const { clock, redis, dice } = this.world;
    clock.after(STALLED_LOOK_MS, () => {
      this.lookForStalled();
      if (!redis.isUp || ![...this.workers].some(({ of }) => of.runs)) return;
      for (const job of this.tables.active()) {
        const holder = this.running.get(job.token ?? '');
        if (holder?.runs) {
          this.unheldSince.delete(job.token ?? '');
          continue;
        }
        const since = this.unheldSince.get(job.token ?? '') ?? holder?.silentSince ?? clock.now();
        this.unheldSince.set(job.token ?? '', since);
        const [least, most] = STALLED_MS;
        if (clock.now() - since >= least + dice.next() * (most - least)) this.tables.putBack(job);
      }
    });
  }
}
