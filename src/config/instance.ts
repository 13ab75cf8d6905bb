import { hostname } from 'node:os';
import { newToken } from '../kernel/ids.js';

/** One running application: the owner of its leases, the name in its logs. */
export class Instance {
  constructor(readonly id: string) {}

  static ofThisProcess(): Instance {
    return new Instance(`${hostname()}-${process.pid}-${newToken().slice(0, 8)}`);
  }
}
