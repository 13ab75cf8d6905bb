import { newToken } from '../../../src/kernel/ids.js';
import type { Lease } from '../../../src/locks/lease.js';
import { type LeaseRequest, Leases, type LeaseSeen } from '../../../src/locks/leases.js';
import type { Incarnation } from './incarnation.js';
import type { SimRedis, Table } from './sim-redis.js';

/** Leases in the tables of one Redis, by its own clock. */
export class SimLeases extends Leases {
  constructor(
    private readonly redis: SimRedis,
    private readonly held: Table<Lease>,
    private readonly of: Incarnation,
  ) {
    super();
  }

  acquire(name: string, { owner, ttlMs }: LeaseRequest): Promise<Lease | null> {
    const token = newToken();
    return this.command(`acquire ${name}`, () => {
      const now = this.redis.now();
      if (this.present(name)) return null;
      const lease: Lease = { name, owner, token, sinceMs: now, untilMs: now + ttlMs };
      this.held.set(name, lease);
      return lease;
    });
  }

  renew(lease: Lease, ttlMs: number): Promise<Lease | null> {
    return this.command(`renew ${lease.name}`, () => {
      if (this.present(lease.name)?.token !== lease.token) return null;
      const renewed = { ...lease, untilMs: this.redis.now() + ttlMs };
      this.held.set(lease.name, renewed);
      return renewed;
    });
  }

  release(lease: Lease): Promise<boolean> {
    return this.command(`release ${lease.name}`, () => {
      if (this.present(lease.name)?.token !== lease.token) return false;
      this.held.delete(lease.name);
      return true;
    });
  }

  list(): Promise<LeaseSeen[]> {
    return this.command('leases', () => {
      const now = this.redis.now();
      return [...this.held.values()]
        .filter(({ untilMs }) => untilMs > now)
        .map((lease) => ({ ...lease, ageMs: now - lease.sinceMs }))
        .sort((a, b) => b.ageMs - a.ageMs);
    });
  }

  private present(name: string): Lease | null {
    const lease = this.held.get(name);
    return lease !== undefined && lease.untilMs > this.redis.now() ? lease : null;
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.redis.command(op));
  }
}
