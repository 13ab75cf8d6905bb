import { EgressStatus } from '@livekit/protocol';
import type { Clock } from '../../../src/kernel/clock.js';
import { readStored } from '../world/rows.js';
import type { World } from '../world/world.js';

const LOOK_EVERY_MS = 50;

/** At most one live egress in a room at every moment, those that the product has proven lost not counted. */
export class OneEgressPerRoom {
  readonly violations: string[] = [];
  looks = 0;
  private readonly lost = new Set<string>();
  private readonly told = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly rooms: readonly string[],
    private readonly clock: Clock,
  ) {}

  async goOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.looks += 1;
      const crowded = this.rooms.map((room) => this.live(room)).filter((live) => live.length > 1);
      if (crowded.length > 0) await this.judge(crowded, signal);
      await this.sleep(signal);
    }
  }

  /** Those that LiveKit lists and that have not ended, and children that nobody lists any more. */
  private live(room: string): string[] {
    const listed = this.world.livekit
      .egresses(room)
      .filter(({ status }) => status <= EgressStatus.EGRESS_ENDING)
      .map(({ egressId }) => egressId);
    return [...new Set([...listed, ...this.world.livekit.runningEgressIds(room)])];
  }

  /** Proven lost before another one began; as soon as Redis can be asked. */
  private async judge(crowded: readonly (readonly string[])[], signal: AbortSignal): Promise<void> {
    for (let asked = false; !asked && !signal.aborted;) {
      asked = await readStored(this.world).then(
        (recordings) => {
          for (const { upkeep } of recordings) {
            for (const [id, state] of Object.entries(upkeep.egresses))
              if (state === 'lost') this.lost.add(id);
          }
          return true;
        },
        () => false,
      );
      if (!asked) await this.sleep(signal);
    }
    if (signal.aborted) return;
    for (const live of crowded) {
      const counted = live.filter((id) => !this.lost.has(id));
      const key = counted.join(' ');
      if (counted.length < 2 || this.told.has(key)) continue;
      this.told.add(key);
      this.violations.push(`${counted.map((id) => this.described(id)).join(' and ')} at once`);
    }
  }

  private described(id: string): string {
    const egress = this.world.livekit.egress(id);
    const filepath = egress?.fileResults[0]?.filename ?? '';
    const status = egress ? EgressStatus[egress.status] : 'not listed';
    return `${id} (${status}, ${filepath.slice(filepath.lastIndexOf('/') + 1)}, ${egress?.roomName})`;
  }

  private async sleep(signal: AbortSignal): Promise<void> {
    await this.clock.sleep(LOOK_EVERY_MS, signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }
}
