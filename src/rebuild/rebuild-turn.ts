import { Injectable } from '@nestjs/common';
import { LeaseKeeper } from '../locks/lease-keeper.js';
import { Rebuild, type RebuildReport } from './rebuild.js';
import { RebuildLedger } from './rebuild-ledger.port.js';

/** What a killed instance was rebuilding is another's after this and one look. */
const LEASE_MS = 7_000;

export type TurnOutcome =
  | { readonly kind: 'whole' }
  /** Another instance is at it. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'rebuilt'; readonly report: RebuildReport };

/** One look whether Redis is whole, and the rebuild where it is not and nobody else does it. */
@Injectable()
export class RebuildTurn {
  constructor(
    private readonly ledger: RebuildLedger,
    private readonly leases: LeaseKeeper,
    private readonly rebuild: Rebuild,
  ) {}

  /** `closing`: this process ends. Throws what keeps it from going on, RebuildSuperseded and LeaseLost among it. */
  async take(closing: AbortSignal): Promise<TurnOutcome> {
    if ((await this.ledger.state()).whole) return { kind: 'whole' };
    const leased = await this.leases.withLease('rebuild', LEASE_MS, (lost) =>
      this.rebuild.execute(AbortSignal.any([lost, closing])),
    );
    if (!leased.ran) return { kind: 'waiting' };
    return leased.result === null ? { kind: 'whole' } : { kind: 'rebuilt', report: leased.result };
  }
}
