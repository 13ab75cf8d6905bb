import type { DiscoveryService } from '@nestjs/core';
import { JobHandler } from './define-job.js';

/** The job handlers among the providers of all modules. */
export function jobHandlersOf(discovery: DiscoveryService): JobHandler<unknown>[] {
  return discovery
    .getProviders()
    .map(({ instance }): unknown => instance)
    .filter((instance) => instance instanceof JobHandler);
}
