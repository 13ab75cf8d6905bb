import { type DynamicModule, Module } from '@nestjs/common';
import { Clock, SystemClock } from '../kernel/clock.js';
import { Config } from './config.js';
import { Instance } from './instance.js';

/** What every module may ask for: the configuration, the clock, this process' name. */
@Module({})
export class ConfigModule {
  static with(config: Config, clock: Clock = new SystemClock()): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [
        { provide: Config, useValue: config },
        { provide: Clock, useValue: clock },
        { provide: Instance, useValue: Instance.ofThisProcess() },
      ],
      exports: [Config, Clock, Instance],
    };
  }
}
