import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Sweep, type SweepName } from './sweep.js';

/** Every sweep of the product, by name; found among the providers of all modules. */
@Injectable()
export class Sweeps {
  constructor(private readonly discovery: DiscoveryService) {}

  all(): Sweep[] {
    return this.discovery
      .getProviders()
      .map(({ instance }) => instance as unknown)
      .filter((instance) => instance instanceof Sweep);
  }

  get(name: SweepName): Sweep {
    const sweep = this.all().find((one) => one.name === name);
    if (!sweep) throw new Error(`there is no sweep ${name}`);
    return sweep;
  }
}
