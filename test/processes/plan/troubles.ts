import type { Clock } from '../../../src/kernel/clock.js';
import type { Fault, FaultName } from '../../../src/livekit/simulator/faults.js';
import type { ProductProcess } from '../world/product-process.js';
import type { World } from '../world/world.js';

type Kind = readonly [FaultName, number?];

/** What a start meets; most of what can go wrong for good goes wrong there. */
const OF_STARTS: readonly Kind[] = [
  ['start-refused-400'],
  ['start-no-capacity'],
  ['start-error'],
  ['start-slow', 2_300],
  ['start-slow', 4_500],
  ['start-answer-late', 2_500],
  ['start-answer-lost'],
  ['start-answer-error'],
  ['start-answer-conflict'],
  ['handler-failed'],
  ['start-never-active'],
  ['ends-before-active'],
];
const OF_THE_REST: readonly Kind[] = [
  ['child-crash', 500],
  ['pipeline-failed', 500],
  ['cpu-kill-with-file', 500],
  ['limit-reached', 500],
  ['upload-refused'],
  ['upload-slow', 3_000],
  ['updates-coalesced'],
  ['updated-skipped'],
  ['webhooks-lost'],
  ['webhooks-doubled'],
  ['webhooks-late', 2_000],
  ['webhooks-reordered', 1_500],
  ['list-fails'],
  ['list-empty'],
  ['rooms-fail'],
  ['stop-no-answer'],
  ['stop-408'],
];

type Blow = (signal: AbortSignal) => Promise<void>;

/**
 * What goes wrong, each of its own accord: instances are killed and paused, Redis is killed and paused, livekit-server is
 * started again, workers die and hang, faults strike. Whatever is broken is mended before `run` ends.
 */
export class Troubles {
  readonly tally = new Map<string, number>();

  constructor(
    private readonly world: World,
    private readonly rooms: readonly string[],
    private readonly random: () => number,
    private readonly clock: Clock,
    /** The longest pause of an instance, ms. */
    private readonly longestPauseMs: number,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      ...this.world.instances.map((instance) =>
        this.strike(1_000, 12_000, () => this.hitInstance(instance, signal), signal),
      ),
      this.strike(4_000, 20_000, () => this.hitRedis(signal), signal),
      this.strike(2_000, 10_000, () => this.hitLiveKit(signal), signal),
      this.strike(50, 900, () => this.setFault(), signal),
    ]);
    this.world.livekit.clearFaults();
  }

  private async strike(least: number, most: number, blow: Blow, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.pause(least, most, signal);
      if (signal.aborted) return;
      await blow(signal);
    }
  }

  private async hitInstance(instance: ProductProcess, signal: AbortSignal): Promise<void> {
    if (this.random() < 0.5) {
      this.count('instance paused');
      instance.pause();
      await this.pause(3_000, this.longestPauseMs, signal);
      instance.resume();
      return;
    }
    this.count('instance killed');
    await instance.kill();
    await this.pause(0, 4_000, signal);
    await instance.start();
  }

  private async hitRedis(signal: AbortSignal): Promise<void> {
    const { redis } = this.world;
    if (this.random() < 0.3) {
      this.count('redis paused');
      redis.pause();
      await this.pause(500, 6_000, signal);
      redis.resume();
      return;
    }
    this.count('redis killed');
    await redis.kill();
    await this.pause(0, 4_000, signal);
    await redis.restart();
  }

  private async hitLiveKit(signal: AbortSignal): Promise<void> {
    const { livekit } = this.world;
    const chance = this.random();
    if (chance < 0.2) {
      this.count('livekit-server restarted');
      livekit.restartServer();
    } else if (chance < 0.5) this.killWorker();
    else if (chance < 0.7) {
      this.count('workers paused');
      // Less than it takes to count as lost.
      livekit.pauseWorker();
      await this.pause(300, 2_500, signal);
      livekit.resumeWorker();
    } else if (chance < 0.85) {
      this.count('message bus silent');
      livekit.busSilent(true);
      await this.pause(300, 5_000, signal);
      livekit.busSilent(false);
    } else {
      this.count('livekit unreachable');
      livekit.setFault({ name: 'unreachable', room: '*' });
      await this.pause(300, 5_000, signal);
      livekit.clearFaults('unreachable');
    }
  }

  private killWorker(): void {
    const { livekit, killedEgresses } = this.world;
    const workers = livekit.fleet.list().filter(({ alive }) => alive);
    const victim = workers[Math.floor(this.random() * workers.length)];
    // There is always another one, or one that comes at once.
    if (workers.length < 2) livekit.addWorker();
    if (victim === undefined) return;
    const withChild = this.random() < 0.5;
    this.count(withChild ? 'worker killed with its children' : 'worker killed alone');
    for (const egressId of victim.recorders.keys()) killedEgresses.add(egressId);
    livekit.killWorker({ id: victim.id, withChild });
  }

  private async setFault(): Promise<void> {
    const [name, delayMs] = this.oneOf(this.random() < 0.5 ? OF_STARTS : OF_THE_REST);
    const times = 1 + Math.floor(this.random() * 2);
    const fault: Fault = { name, room: this.oneOf(this.rooms), times, ...(delayMs && { delayMs }) };
    this.count('fault set');
    this.world.livekit.setFault(fault);
  }

  private oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }

  private count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  private async pause(least: number, most: number, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(least + this.random() * (most - least), signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }
}
