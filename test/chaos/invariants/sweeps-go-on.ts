import type { Invariant } from './invariant.js';
import { SWEEPS } from '../world/product.js';

/** Beyond its interval: a job's way to its worker, a lease that a dead instance held, a pass that meets a slow LiveKit. */
const GRACE_MS = 45_000;

/** I12: in calm every sweep has run within its interval, on whichever instance. */
export function sweepsGoOn(): Invariant {
  return {
    name: 'I12',
    second: (world) => {
      const [instance] = world.alive();
      if (!instance) return null;
      for (const what of SWEEPS) {
        const { name, everyMs } = instance.use(what);
        const boundMs = everyMs + GRACE_MS;
        if (world.calmMs < boundMs) continue;
        const finishedAt = world.sweeps.runs.get(name)?.finishedAt ?? 0;
        if (world.clock.now() - finishedAt > boundMs) return `${name} has not run for ${boundMs} ms`;
      }
      return null;
    },
  };
}
