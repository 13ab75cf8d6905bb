import { type EgressInfo, EgressStatus } from '@livekit/protocol';
import type { Clock } from '../../../src/kernel/clock.js';
import { readStored } from '../world/rows.js';
import type { World } from '../world/world.js';

const LOOK_EVERY_MS = 200;

/** Two egresses of a room, the second of which began before the first had ended. */
type Pair = readonly [EgressInfo, EgressInfo];

/**
 * At most one live egress in a room at every moment, those that the product has proven lost not counted. Looked for in what
 * LiveKit has noted of the beginning and the end of each, so that no moment is missed between two looks.
 */
export class OneEgressPerRoom {
  readonly violations: string[] = [];
  private readonly judged = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly rooms: readonly string[],
    private readonly clock: Clock,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pairs = this.rooms
        .flatMap((room) => overlapping(this.world.livekit.egresses(room)))
        .filter((pair) => !this.judged.has(keyOf(pair)));
      if (pairs.length > 0) await this.judge(pairs);
      await this.clock.sleep(LOOK_EVERY_MS, signal).catch((reason: unknown) => {
        if (!signal.aborted) throw reason;
      });
    }
  }

  /** An egress that was given up for lost is so before the next one begins; looked up as soon as Redis can be asked. */
  private async judge(pairs: readonly Pair[]): Promise<void> {
    const stored = await readStored(this.world).catch(() => null);
    if (stored === null) return;
    const lost = new Set(
      stored.flatMap(({ upkeep }) =>
        Object.keys(upkeep.egresses).filter((id) => upkeep.egresses[id] === 'lost'),
      ),
    );
    for (const pair of pairs) {
      this.judged.add(keyOf(pair));
      if (lost.has(pair[0].egressId)) continue;
      this.violations.push(`${pair.map(described).join(' and ')} ran at once`);
    }
  }
}

function overlapping(egresses: readonly EgressInfo[]): Pair[] {
  const inOrder = [...egresses].sort((a, b) => Number(a.startedAt - b.startedAt));
  return inOrder.flatMap((first, i) =>
    inOrder
      .slice(i + 1)
      .filter(({ startedAt }) => first.endedAt === 0n || startedAt < first.endedAt)
      .map((second) => [first, second] as const),
  );
}

function keyOf([first, second]: Pair): string {
  return `${first.egressId} ${second.egressId}`;
}

function described({ egressId, status, roomName, fileResults }: EgressInfo): string {
  const path = fileResults[0]?.filename ?? '';
  return `${egressId} (${EgressStatus[status]} in ${roomName}, ${path.slice(path.lastIndexOf('/') + 1)})`;
}
