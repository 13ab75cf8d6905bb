import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { newToken } from '../kernel/ids.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { Script } from '../redis/script.js';
import type { Lease } from './lease.js';

export interface LeaseRequest {
  /** Who will hold it, for whoever looks at the list. */
  readonly owner: string;
  readonly ttlMs: number;
}

/** `ageMs`: since it was acquired, by the clock of the server that keeps it. */
export interface LeaseSeen extends Lease {
  readonly ageMs: number;
}

/** Leases by name. Every method throws REDIS_UNAVAILABLE when nobody can say who holds what; instants are the server's. */
export abstract class Leases {
  /** Null: another holds it. */
  abstract acquire(name: string, request: LeaseRequest): Promise<Lease | null>;
  /** The lease with its new end; null: it ran out or is another's, and must not be relied on any longer. */
  abstract renew(lease: Lease, ttlMs: number): Promise<Lease | null>;
  /** False: it was not held any more, or by another; nothing was changed. */
  abstract release(lease: Lease): Promise<boolean>;
  /** All that are held, the oldest first. */
  abstract list(): Promise<LeaseSeen[]>;
}

const acquireLease = new Script(join(__dirname, 'acquire-lease.lua'));
const renewLease = new Script(join(__dirname, 'renew-lease.lua'));
const releaseLease = new Script(join(__dirname, 'release-lease.lua'));
const listLeases = new Script(join(__dirname, 'list-leases.lua'));

type LeaseRow = [name: string, owner: string, token: string, sinceMs: number, untilMs: number];

@Injectable()
export class RedisLeases extends Leases {
  constructor(private readonly connections: RedisConnections) {
    super();
  }

  async acquire(name: string, { owner, ttlMs }: LeaseRequest): Promise<Lease | null> {
    const token = newToken();
    const answer = await acquireLease.run(
      this.connections.command,
      [keys.lease(name), keys.leases()],
      [name, owner, token, ttlMs],
    );
    if (answer === null) return null;
    const [sinceMs, untilMs] = answer as [number, number];
    return { name, owner, token, sinceMs, untilMs };
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease | null> {
    const untilMs = await renewLease.run(
      this.connections.command,
      [keys.lease(lease.name)],
      [lease.token, ttlMs],
    );
    return untilMs === null ? null : { ...lease, untilMs: untilMs as number };
  }

  async release(lease: Lease): Promise<boolean> {
    const released = await releaseLease.run(
      this.connections.command,
      [keys.lease(lease.name), keys.leases()],
      [lease.name, lease.token],
    );
    return released === 1;
  }

  async list(): Promise<LeaseSeen[]> {
    const answer = await listLeases.run(this.connections.command, [keys.leases(), keys.lease('')], []);
    const [nowMs, ...rows] = answer as [number, ...LeaseRow[]];
    return rows.map(([name, owner, token, sinceMs, untilMs]) => ({
      name,
      owner,
      token,
      sinceMs,
      untilMs,
      ageMs: Math.max(0, nowMs - sinceMs),
    }));
  }
}
