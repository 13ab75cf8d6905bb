import { Random } from '../../../src/kernel/random.js';
import { seededRandom } from '../../support/seeded-random.js';

/** Chance from one seed; each concern draws from a stream of its own, so that one more draw here changes nothing there. */
export class Dice extends Random {
  private readonly draw: () => number;

  constructor(private readonly seed: number) {
    super();
    this.draw = seededRandom(seed);
  }

  /** An independent stream by this name. */
  stream(name: string): Dice {
    let mixed = this.seed ^ 0x9e3779b9;
    for (let i = 0; i < name.length; i += 1) mixed = Math.imul(mixed ^ name.charCodeAt(i), 0x01000193);
    return new Dice(mixed >>> 0);
  }

  next(): number {
    return this.draw();
  }

  chance(probability: number): boolean {
    return this.draw() < probability;
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.draw() * (most - least + 1));
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.draw() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** One of the named, by its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.draw() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries.at(-1)![0];
  }
}
