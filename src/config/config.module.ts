import { type DynamicModule, Module } from '@nestjs/common';
import { AgreedClock, Clock } from '../kernel/clock.js';
import { Random, SystemRandom } from '../kernel/random.js';
import { Config } from './config.js';
import { Instance } from './instance.js';

/** What every module may ask for: the configuration, the clock, this process' name. */
@Module({})
export class ConfigModule {
  static with(
    config: Config,
    clock: Clock = new AgreedClock(),
    instance: Instance = Instance.ofThisProcess(),
  ): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [
        { provide: Config, useValue: config },
        { provide: Clock, useValue: clock },
        { provide: Random, useClass: SystemRandom },
        { provide: Instance, useValue: instance },
      ],
      exports: [Config, Clock, Random, Instance],
    };
  }
}
