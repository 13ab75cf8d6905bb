import type { StoredRecording } from '../../../src/recordings/domain/recording.js';
import type { SimWorld } from '../world/sim-world.js';

/** Something that has to be true of the world. A violation is a sentence that names what it is about. */
export interface Invariant {
  readonly name: string;
  /** Called with every step of a recording that is stored. */
  committed?(
    world: SimWorld,
    before: StoredRecording | null,
    next: StoredRecording,
    cause: string,
  ): string | null;
  /** Called after every step of time: safety. */
  step?(world: SimWorld): string | null;
  /** Called every second: what may last for a bounded time only. */
  second?(world: SimWorld): string | null;
  /** Called when the world has been right for so long that everything should have converged. */
  end?(world: SimWorld): string | null;
}

/** Tells what has lasted for longer than its bound, not counting the time in which something was wrong with the world. */
export class Lasting {
  private since = new Map<string, number>();

  constructor(private readonly boundMs: number) {}

  /** The subjects that it is true of now; the first that has been for too long, or null. */
  longest(world: SimWorld, subjects: Iterable<string>): string | null {
    const now = world.clock.now();
    const next = new Map<string, number>();
    let found: string | null = null;
    for (const subject of subjects) {
      const since = this.since.get(subject) ?? now;
      next.set(subject, since);
      if (Math.min(now - since, world.calmMs) > this.boundMs) found ??= subject;
    }
    this.since = next;
    return found;
  }
}

/** Whether two objects have the same fields, in whatever order. */
export function isSame(a: object, b: object): boolean {
  return inOrder(a) === inOrder(b);
}

function inOrder(of: object): string {
  return JSON.stringify(Object.entries(of).sort(([x], [y]) => (x < y ? -1 : 1)));
}
