import { Dice } from '../chaos/world/dice.js';

/** Random histories of one battery: few in every run of the tests, and as many as `BATTERY_RUNS` says. */
export const BATTERY_RUNS = Number(process.env['BATTERY_RUNS'] ?? 60);

/** Nothing goes wrong and nothing takes time. */
export class CalmDice extends Dice {
  override next(): number {
    return 0.5;
  }
}
