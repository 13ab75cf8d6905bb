import type { AtomicWrite } from '../../../src/kernel/atomic-write.js';
import { TallyError } from '../../../src/kernel/errors.js';
import type { Dice } from './dice.js';
import type { SimClock } from './sim-clock.js';
import type { Trace } from './trace.js';

/** How much a restart can lose: appendfsync everysec. */
const UNSYNCED_MS = 1_000;
/** So many writes can be taken back: minutes. */
const MOST_KEPT = 100_000;

interface Undo {
  readonly at: number;
  readonly undo: () => void;
}

/** One map of the database; every write can be taken back. Values are never changed in place. */
export class Table<V> {
  private readonly map = new Map<string, V>();

  constructor(private readonly note: (undo: () => void) => void) {}

  get(key: string): V | undefined {
    return this.map.get(key);
  }

  has(key: string): boolean {
    return this.map.has(key);
  }

  set(key: string, value: V): void {
    this.remember(key);
    this.map.set(key, value);
  }

  delete(key: string): void {
    if (!this.map.has(key)) return;
    this.remember(key);
    this.map.delete(key);
  }

  clear(): void {
    // From the last to the first: taken back in reverse, they stand in their order again.
    for (const key of this.keys().toReversed()) this.delete(key);
  }

  get size(): number {
    return this.map.size;
  }

  entries(): IterableIterator<[string, V]> {
    return this.map.entries();
  }

  values(): IterableIterator<V> {
    return this.map.values();
  }

  keys(): string[] {
    return [...this.map.keys()];
  }

  private remember(key: string): void {
    const had = this.map.has(key);
    const before = this.map.get(key);
    this.note(() => {
      if (had) this.map.set(key, before as V);
      else this.map.delete(key);
    });
  }
}

type SimWrite = () => void;

/** For the command of another store. */
export function toAtomicWrite(write: SimWrite): AtomicWrite {
  return write as SimWrite & AtomicWrite;
}

export function carryOut(write: AtomicWrite): void {
  (write as SimWrite & AtomicWrite)();
}

/**
 * One Redis: tables that commands change in one step. It can be away, be started again with all it had or without its last
 * second, and lose everything; a command under way at such a moment takes effect or not, and its answer never comes.
 */
export class SimRedis {
  private readonly tables: Table<unknown>[] = [];
  private journal: Undo[] = [];
  private down = false;
  private life = 0;
  /** How many of the next commands meet a connection that breaks under them. */
  private breaking = 0;
  /** The chance that a command's answer does not come. */
  answersLost = 0;
  private readonly waiting = new Set<() => void>();
  /** How often something was lost. */
  losses = 0;
  /** Called after a restart, with whether anything was lost. */
  readonly onUp: ((lost: boolean) => void)[] = [];

  constructor(
    private readonly clock: SimClock,
    private readonly dice: Dice,
    private readonly trace: Trace,
  ) {}

  table<V>(): Table<V> {
    const table = new Table<V>((undo) => this.note(undo));
    this.tables.push(table as Table<unknown>);
    return table;
  }

  now(): number {
    return this.clock.now();
  }

  /** What is there now is on disk. */
  sync(): void {
    this.journal = [];
  }

  get isUp(): boolean {
    return !this.down;
  }

  /** A connection that fails fast. Throws REDIS_UNAVAILABLE. */
  async command<T>(op: () => T): Promise<T> {
    const { life } = this;
    if (this.down) throw unavailable();
    if (this.breaking > 0) return this.broken(op);
    if (this.answersLost > 0 && this.dice.chance(this.answersLost)) return this.unanswered(op);
    const wait = this.dice.next();
    if (wait < 0.12) await this.clock.sleep(this.dice.int(0, 4));
    if (this.down || life !== this.life) throw unavailable();
    const answer = op();
    if (wait > 0.9) await this.clock.sleep(wait > 0.995 ? this.dice.int(20, 300) : this.dice.int(0, 4));
    // The client sends a command again whose answer did not come; one that took effect meets what it left.
    if (life !== this.life) return this.dice.chance(0.5) ? this.resent(op) : this.lost();
    return answer;
  }

  /** A connection that waits for a Redis that is away. */
  async patient<T>(op: () => T): Promise<T> {
    while (this.down) await new Promise<void>((resolve) => this.waiting.add(resolve));
    return op();
  }

  /** Away for `ms`; with `losing` back without what was written in the last second, or whatever part of it was not on disk. */
  restart(ms: number, losing: boolean): void {
    if (this.down) return;
    const lostMs = losing ? this.dice.int(50, UNSYNCED_MS) : 0;
    this.trace.add('redis', `restart, away ${ms} ms, losing ${lostMs} ms`);
    this.breaking = this.dice.int(0, 3);
    this.clock.after(this.breaking > 0 ? this.dice.int(1, 40) : 0, () => {
      this.breaking = 0;
      this.down = true;
      this.life += 1;
      if (losing) this.losses += 1;
      if (losing) this.rollBack(this.clock.now() - lostMs);
      this.clock.after(ms, () => this.restoredRecording(losing));
    });
  }

  /** Started again from a copy that is `agoMs` old. */
  setBack(ms: number, agoMs: number): void {
    if (this.down) return;
    this.trace.add('redis', `set back by ${agoMs} ms, away ${ms} ms`);
    this.down = true;
    this.life += 1;
    this.losses += 1;
    this.rollBack(this.clock.now() - agoMs);
    this.clock.after(ms, () => this.restoredRecording(true));
  }

  /** Started again with an empty disk. */
  loseAll(ms: number): void {
    if (this.down) return;
    this.trace.add('redis', `lost everything, away ${ms} ms`);
    this.down = true;
    this.life += 1;
    this.losses += 1;
    for (const table of this.tables) table.clear();
    this.journal = [];
    this.clock.after(ms, () => this.restoredRecording(true));
  }

  private restoredRecording(lost: boolean): void {
    this.down = false;
    this.trace.add('redis', 'up');
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const resolve of waiting) resolve();
    for (const tell of this.onUp) tell(lost);
  }

  private async broken<T>(op: () => T): Promise<T> {
    this.breaking -= 1;
    if (this.dice.chance(0.5)) op();
    if (this.dice.chance(0.5)) return this.resent(op);
    return this.lost();
  }

  /** It takes effect now, or later than its answer was waited for; a client whose connection broke sends it again. */
  private async unanswered<T>(op: () => T): Promise<T> {
    if (this.dice.chance(0.7)) {
      op();
      return this.dice.chance(0.5) ? this.resent(op) : this.lost();
    }
    const { life } = this;
    this.clock.after(this.dice.int(100, 4_000), () => {
      if (this.down || life !== this.life) return;
      try {
        op();
      } catch {
        // Nobody hears of it any more.
      }
    });
    await this.clock.sleep(this.dice.int(50, 2_000));
    return this.lost();
  }

  private async resent<T>(op: () => T): Promise<T> {
    await this.clock.sleep(this.dice.int(50, 400));
    if (this.down) throw unavailable();
    return op();
  }

  private lost(): never {
    throw unavailable();
  }

  private rollBack(until: number): void {
    for (let last = this.journal.at(-1); last && last.at >= until; last = this.journal.at(-1)) {
      this.journal.pop();
      last.undo();
    }
  }

  private note(undo: () => void): void {
    const at = this.clock.now();
    this.journal.push({ at, undo });
    if (this.journal.length > MOST_KEPT) this.journal.splice(0, MOST_KEPT / 2);
  }
}

function unavailable(): TallyError {
  return new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer; try again in a moment');
}
