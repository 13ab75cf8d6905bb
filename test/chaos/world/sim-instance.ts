import type { RawBodyRequest } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LiveKitWebhookController } from '../../../src/recordings/ingest/livekit-webhook.controller.js';
import { MissingRowsRunner } from '../../../src/recordings/jobs/missing-rows.runner.js';
import { QueueEffects } from '../../../src/recordings/jobs/queue-effects.js';
import { isTallyError } from '../../../src/kernel/errors.js';
import { AbandonedBulkDeletionsRunner } from '../../../src/bulk-deletions/jobs/abandoned-bulk-deletions.runner.js';
import { RebuildTurn } from '../../../src/rebuild/rebuild-turn.js';
import { UnsavedRoomsRunner } from '../../../src/rooms/write/unsaved-rooms.runner.js';
import { SweepTicker } from '../../../src/sweeps/sweep-ticker.js';
import type { Incarnation } from './incarnation.js';
import type { Dice } from './dice.js';
import type { SimClock } from './sim-clock.js';
import type { JobFloor, Worker } from './sim-job-runner.js';
import type { RecordingTables } from './sim-recording-store.js';
import type { SimRedis } from './sim-redis.js';
import type { Class, Wiring } from './wiring.js';

const EFFECTS_EVERY_MS = 2_000;
const TICK_EVERY_MS = 1_000;
const UNSAVED_ROOMS_EVERY_MS = 3_000;
const REBUILD_EVERY_MS = 1_000;
const AGREE_EVERY_MS = 10_000;

/** What of the world an instance's intervals look at. */
export interface InstanceSurroundings {
  readonly clock: SimClock;
  readonly dice: Dice;
  readonly redis: SimRedis;
  readonly floor: JobFloor;
  readonly recordings: RecordingTables;
  readonly rooms: { readonly unsaved: { readonly size: number } };
  readonly bulkDeletions: { readonly size: number };
}

/** One life of one instance, its intervals driven by the virtual clock. */
export class SimInstance {
  private rebuilding = false;
  private readonly closing = new AbortController().signal;

  constructor(
    private readonly world: InstanceSurroundings,
    readonly life: Incarnation,
    private readonly wiring: Wiring,
    readonly worker: Worker,
  ) {}

  use<T extends object>(what: Class<T>): T {
    return this.wiring.make(what);
  }

  /** From the start of the process to its end. */
  begin(): void {
    const { redis } = this.world;
    if (redis.isUp) this.life.agreeOn(redis.now());
    this.world.floor.join(this.worker);
    this.every(AGREE_EVERY_MS, () => this.agree());
    redis.onUp.unshift(() => this.life.agreeOn(redis.now()));
    this.every(EFFECTS_EVERY_MS, () => {
      // An empty outbox is read as well in a real process, to no effect.
      if (this.world.recordings.outbox.size > 0) void this.use(QueueEffects).dispatchLeftBehind();
    });
    this.every(TICK_EVERY_MS, () => void this.use(SweepTicker).tick());
    this.every(UNSAVED_ROOMS_EVERY_MS, () => {
      if (this.world.rooms.unsaved.size > 0) this.let(this.use(UnsavedRoomsRunner).saveAbandoned());
    });
    this.every(EFFECTS_EVERY_MS, () => {
      if (this.world.bulkDeletions.size > 0) this.let(this.use(AbandonedBulkDeletionsRunner).look());
    });
    this.every(REBUILD_EVERY_MS, () => this.lookWhetherWhole());
    this.use(MissingRowsRunner).onApplicationBootstrap();
  }

  /** A webhook as it comes in by HTTP: the answer's status. Rejects when the process dies under it. */
  receive(body: Buffer, authorization: string): Promise<number> {
    const request = { rawBody: body } as unknown as RawBodyRequest<FastifyRequest>;
    const answer = this.life
      .standStill()
      .then(() => this.use(LiveKitWebhookController).receive(request, authorization))
      .then(
        () => 200,
        (error: unknown) => (isTallyError(error) ? 503 : 500),
      )
      .then(async (status) => {
        await this.life.standStill();
        return status;
      });
    const { death } = this.life;
    death.catch(() => undefined);
    return Promise.race([answer, death]);
  }

  /** One look at a time, as the product's own loop makes them. */
  private lookWhetherWhole(): void {
    if (this.rebuilding || this.world.recordings.meta.has('epoch')) return;
    this.rebuilding = true;
    const over = (): void => {
      this.rebuilding = false;
    };
    this.use(RebuildTurn).take(this.closing).then(over, over);
  }

  /** One time for all instances, as the product keeps it. */
  private agree(): void {
    const { redis } = this.world;
    if (this.life.runs) this.let(this.life.agree(() => redis.command(() => redis.now())));
  }

  /** What could not be done is tried at the next time. */
  private let(work: Promise<unknown>): void {
    work.catch(() => undefined);
  }

  private every(ms: number, work: () => void): void {
    const offset = this.world.dice.int(0, ms);
    const next = (): void => {
      if (this.life.isDead) return;
      if (this.life.runs) work();
      this.world.clock.after(ms, next);
    };
    this.world.clock.after(offset, next);
  }
}
