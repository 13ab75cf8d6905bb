declare const brand: unique symbol;

/**
 * A write that one store prepares and another carries out in its own commit, so that both happen or neither. What it is, only
 * the technology that both stores stand on knows.
 */
export interface AtomicWrite {
  readonly [brand]: 'AtomicWrite';
}
