import { Global, Module } from '@nestjs/common';
import { Incidents } from './incidents.port.js';
import { RedisIncidents } from './redis-incidents.js';

/** Global, as everything may notice something. */
@Global()
@Module({ providers: [{ provide: Incidents, useClass: RedisIncidents }], exports: [Incidents] })
export class IncidentsModule {}
