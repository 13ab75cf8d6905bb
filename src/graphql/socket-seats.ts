import { BOUNDS } from '../kernel/bounds.js';
import { TallyError } from '../kernel/errors.js';

/** Who sits on a seat, and how many operations it has under way. */
export interface Seated {
  operations(): number;
}

/** How many sockets and operations whom has in this process. */
export class SocketSeats {
  private readonly strangers = new Map<string, number>();
  private readonly callers = new Map<string, Set<Seated>>();
  private open = 0;

  /** A seat for somebody who is not known yet; false where there is none. */
  enter(address: string): boolean {
    const waiting = this.strangers.get(address) ?? 0;
    if (this.open >= BOUNDS.socketsPerProcess || waiting >= BOUNDS.uninvitedPerAddress) return false;
    this.open += 1;
    this.strangers.set(address, waiting + 1);
    return true;
  }

  /** Once for each that entered, as soon as it is let in or gone. */
  met(address: string): void {
    const waiting = (this.strangers.get(address) ?? 0) - 1;
    if (waiting > 0) this.strangers.set(address, waiting);
    else this.strangers.delete(address);
  }

  leave(): void {
    this.open -= 1;
  }

  /** Throws RATE_LIMITED. */
  invite(caller: string, seated: Seated): void {
    const all = this.callers.get(caller) ?? new Set();
    if (all.size >= BOUNDS.socketsPerCaller) {
      throw limited(`this credential has ${BOUNDS.socketsPerCaller} open WebSockets; close some first`);
    }
    this.callers.set(caller, all.add(seated));
  }

  uninvite(caller: string, seated: Seated): void {
    const all = this.callers.get(caller);
    all?.delete(seated);
    if (all?.size === 0) this.callers.delete(caller);
  }

  /** With the one that is about to begin, whose id is counted already. Throws RATE_LIMITED. */
  allowOperation(caller: string, seated: Seated): void {
    if (seated.operations() > BOUNDS.operationsPerSocket) {
      throw limited(
        `this connection has ${BOUNDS.operationsPerSocket} operations under way; end some, or open another connection`,
      );
    }
    let all = 0;
    for (const each of this.callers.get(caller) ?? []) all += each.operations();
    if (all > BOUNDS.operationsPerCaller) {
      throw limited(
        `this credential has ${BOUNDS.operationsPerCaller} operations under way on its WebSockets; end some first`,
      );
    }
  }
}

function limited(what: string): TallyError {
  return new TallyError('RATE_LIMITED', what);
}
