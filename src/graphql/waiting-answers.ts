import { Injectable } from '@nestjs/common';
import { BOUNDS } from '../kernel/bounds.js';

/** Somebody for whom bytes wait in this process. */
export interface SlowReader {
  /** It is let go, with what waits for it. */
  cut(reason: string): void;
}

/**
 * What was written to clients and not taken by them yet, over WebSockets and HTTP, all of it together. Each of thousands may be
 * within its own bound; where there is no room left for all, who has been waited for longest goes.
 */
@Injectable()
export class WaitingAnswers {
  /** By when something began to wait for them, the longest ago first. */
  private readonly readers = new Map<SlowReader, number>();
  private total = 0;

  /** In bytes. */
  most: number = BOUNDS.waitingBytesInAll;

  get bytes(): number {
    return this.total;
  }

  add(reader: SlowReader, bytes: number): void {
    this.readers.set(reader, (this.readers.get(reader) ?? 0) + bytes);
    this.total += bytes;
    for (const [slowest] of this.readers) {
      if (this.total <= this.most) return;
      // One answer has a bound of its own, and its reader had no time yet.
      if (slowest === reader && this.readers.size === 1) return;
      this.forget(slowest);
      slowest.cut('too much waits for clients that do not read, and it reads slowest');
    }
  }

  /** So much has left this process, or its reader has. */
  taken(reader: SlowReader, bytes: number): void {
    const waiting = this.readers.get(reader);
    // It was cut off, and all of it counted as taken then.
    if (waiting === undefined) return;
    this.total -= Math.min(bytes, waiting);
    if (waiting > bytes) this.readers.set(reader, waiting - bytes);
    else this.readers.delete(reader);
  }

  private forget(reader: SlowReader): void {
    this.total -= this.readers.get(reader) ?? 0;
    this.readers.delete(reader);
  }
}
