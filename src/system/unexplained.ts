import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { EgressSeen } from '../livekit/livekit.types.js';
import { isFinal, isOver, type Recording } from '../recordings/domain/recording.js';
import { watchedEgresses } from '../recordings/domain/slot.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';

const FRESH_MS = 10_000;
const MOST_RECORDINGS = 1_000;

/** How many live egresses no recording explains, and how many recordings in progress no egress explains. */
@Injectable()
export class Unexplained {
  private readonly log = new Logger('System');
  private latest: { readonly at: number; readonly count: Promise<number> } | null = null;

  constructor(
    private readonly livekit: LiveKit,
    private readonly own: OwnEgresses,
    private readonly store: RecordingStore,
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
  ) {}

  /** Where LiveKit can't be asked, what was counted last: the checks say that it is away. Throws REDIS_UNAVAILABLE. */
  async count(): Promise<number> {
    const now = this.clock.now();
    if (this.latest === null || now - this.latest.at > FRESH_MS)
      this.latest = { at: now, count: this.countNow() };
    return this.latest.count;
  }

  /** Throws LIVEKIT_UNAVAILABLE, REDIS_UNAVAILABLE. */
  async find(): Promise<{
    readonly egresses: readonly EgressSeen[];
    readonly recordings: readonly Recording[];
  }> {
    // Recordings first: what begins in between is an egress whose row is then read by its id.
    const recordings = await this.inProgress();
    const egresses = (await this.livekit.listEgresses({ active: true })).filter(
      ({ status }) => !isFinal(status),
    );
    const live = new Set(egresses.map(({ egressId }) => egressId));
    return {
      egresses: await this.ghosts(egresses),
      recordings: recordings.filter(({ egressId }) => egressId !== null && !live.has(egressId)),
    };
  }

  private async countNow(): Promise<number> {
    try {
      const { egresses, recordings } = await this.find();
      const count = egresses.length + recordings.length;
      await this.redis.command.set(keys.unexplained(), count);
      return count;
    } catch (error) {
      this.log.debug({
        event: 'unexplained_not_counted',
        message: 'the last count is told',
        cause: String(error),
      });
      return Number((await this.redis.command.get(keys.unexplained()).catch(() => null)) ?? 0);
    }
  }

  private async inProgress() {
    const { items } = await this.store.page({
      ...{ rooms: null, statuses: ['ACTIVE', 'ENDING'], labels: {}, first: MOST_RECORDINGS, after: null },
      ...{ requestedAfter: null, requestedBefore: null, field: 'REQUESTED_AT', direction: 'DESC' },
    });
    return items.map(({ recording }) => recording).filter((recording) => !isOver(recording));
  }

  private async ghosts(egresses: readonly EgressSeen[]): Promise<EgressSeen[]> {
    const ghosts: EgressSeen[] = [];
    for (const egress of egresses) {
      const id = this.own.recordingOf(egress);
      if (id === null) continue;
      const recording = await this.store.get(id);
      // One that is proven dead is listed for ever, and explained by that.
      const state = recording?.upkeep.egresses[egress.egressId];
      const isExplained =
        recording !== null &&
        (state === 'lost' || !isOver(recording) || watchedEgresses(recording).includes(egress.egressId));
      if (!isExplained) ghosts.push(egress);
    }
    return ghosts;
  }
}
