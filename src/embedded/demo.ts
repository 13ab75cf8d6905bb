import type { Clock } from '../kernel/clock.js';
import type { FaultName } from '../livekit/simulator/faults.js';
import type { SimulatorEngine } from '../livekit/simulator/engine.js';

/** What a person can make go wrong in the embedded stack. */
export const DEMO_ACTIONS = [
  'kill-worker',
  'lose-webhooks',
  'empty-redis',
  'fail-next-start',
  'take-livekit-away',
] as const;
export type DemoAction = (typeof DEMO_ACTIONS)[number];

export interface DemoLight {
  readonly name: DemoAction;
  /** Whether it is so now: what happens at once never is. */
  readonly isOn: boolean;
  /** When it was last done, ms since the Unix epoch; null: not since this start. */
  readonly at: number | null;
}

/** Those that go on until they are taken back, or have struck. */
const FAULTS: Partial<Record<DemoAction, { name: FaultName; times?: number }>> = {
  'lose-webhooks': { name: 'webhooks-lost' },
  'fail-next-start': { name: 'start-refused-400', times: 1 },
  'take-livekit-away': { name: 'unreachable' },
};

export interface DemoParts {
  /** Null: a real LiveKit is used, to which nothing is done. */
  readonly simulator: SimulatorEngine | null;
  /** Empties the private Redis; null: another one is used, which is left alone. */
  readonly emptyRedis: (() => Promise<void>) | null;
  readonly clock: Clock;
}

/** Breaks the embedded parts on request, so that a person can watch what Tallylight makes of it. */
export class Demo {
  private readonly done = new Map<DemoAction, number>();

  constructor(private readonly parts: DemoParts) {}

  /** Those that can be done in this stack. */
  lights(): DemoLight[] {
    return DEMO_ACTIONS.filter((name) => this.canDo(name)).map((name) => ({
      name,
      isOn: this.isOn(name),
      at: this.done.get(name) ?? null,
    }));
  }

  canDo(name: DemoAction): boolean {
    return (name === 'empty-redis' ? this.parts.emptyRedis : this.parts.simulator) !== null;
  }

  /** `on: false` takes back what goes on. Throws where `canDo` says no. */
  async perform(name: DemoAction, on: boolean): Promise<void> {
    if (!this.canDo(name)) throw new Error(`${name} is of no use in this stack`);
    const { simulator, emptyRedis, clock } = this.parts;
    const fault = FAULTS[name];
    if (fault && !on) return simulator?.clearFaults(fault.name, '*');
    if (fault) simulator?.setFault({ ...fault, room: '*' });
    if (name === 'kill-worker') {
      simulator?.killWorker();
      // As whatever watches over containers starts another one.
      simulator?.addWorker();
    }
    if (name === 'empty-redis') await emptyRedis?.();
    this.done.set(name, clock.now());
  }

  private isOn(name: DemoAction): boolean {
    const fault = FAULTS[name];
    if (!fault) return false;
    return this.parts.simulator?.faults.list().some((set) => set.name === fault.name) ?? false;
  }
}
