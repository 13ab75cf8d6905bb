import type { Clock } from '../kernel/clock.js';
import type { SimulatorEngine } from '../livekit/simulator/engine.js';

const NAMES = ['alan', 'barbara', 'edsger', 'frances', 'ken'] as const;
const EVERY_MS = [15_000, 45_000] as const;
const MOST_AT_ONCE = 2;

/**
 * People come to the rooms and leave them again, so that counts and recordings have something to show; who is there from
 * the beginning stays.
 */
export function letVisitorsComeAndGo(
  engine: SimulatorEngine,
  rooms: readonly string[],
  clock: Clock,
  random: () => number,
  ended: AbortSignal,
): void {
  const one = <T>(of: readonly T[]): T | undefined => of[Math.floor(random() * of.length)];
  const step = (): void => {
    const room = one(rooms);
    const open = room === undefined ? null : engine.rooms.find(room);
    if (room === undefined || !open) return;
    const here = NAMES.filter((name) => open.participants.has(name));
    const mayCome = NAMES.filter((name) => !open.participants.has(name));
    const isLeaving = here.length >= MOST_AT_ONCE || (here.length > 0 && random() < 0.5);
    const who = one(isLeaving ? here : mayCome);
    if (who === undefined) return;
    if (isLeaving) return engine.leave(room, who);
    engine.join(room, who);
    engine.publish(room, who);
  };
  const loop = async (): Promise<void> => {
    for (;;) {
      const [least, most] = EVERY_MS;
      await clock.sleep(least + random() * (most - least), ended);
      step();
    }
  };
  // The only reason to reject is our own ending it.
  loop().catch(() => undefined);
}
