import { randomBytes } from 'node:crypto';

/** A number in [0, 1). */
export type Random = () => number;

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Not to be foretold, so that ids of two runs never meet. */
export const systemRandom: Random = () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48;

/** What the simulated server leaves to chance, from one injected source. */
export class Chance {
  constructor(private readonly random: Random) {}

  /** `EG_` and the like with LiveKit's length of random letters. */
  id(prefix: string, length = 12): string {
    return `${prefix}${Array.from({ length }, () => LETTERS[Math.floor(this.random() * LETTERS.length)]).join('')}`;
  }

  between([least, most]: readonly [number, number]): number {
    return least + this.random() * (most - least);
  }

  /** An instant in ns: LiveKit's own resolution, of which a clock in ms knows nothing. */
  nanoseconds(ms: number): bigint {
    return BigInt(Math.floor(ms)) * 1_000_000n + BigInt(Math.floor(this.random() * 1_000_000));
  }
}
