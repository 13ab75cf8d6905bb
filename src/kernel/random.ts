/** The only source of chance: numbers from 0 up to, not including, 1. */
export abstract class Random {
  abstract next(): number;
}

export class SystemRandom extends Random {
  next(): number {
    return Math.random();
  }
}
