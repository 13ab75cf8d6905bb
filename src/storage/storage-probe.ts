import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import { newToken } from '../kernel/ids.js';
import { PROBE_PREFIX } from './object-keys.js';
import { ObjectStorage } from './object-storage.port.js';
import { type FaultText, StorageFault } from './storage-errors.js';

export type ProbeStepName = 'write' | 'look' | 'read' | 'range' | 'list' | 'delete';

export interface ProbeStep {
  readonly name: ProbeStepName;
  /** `not asked`: an earlier step already answers it. */
  readonly state: 'ok' | 'failed' | 'not asked';
  /** Only of a step that failed. */
  readonly problem?: FaultText;
}

export interface ProbeReport {
  /** Which host and bucket, or folder; for an operator. */
  readonly place: string;
  readonly steps: readonly ProbeStep[];
  /** What works and should be changed all the same, for an operator: clocks, rules that archive or expire what has to stay. */
  readonly notices: readonly string[];
}

const CONTENT = Buffer.from('tallylight storage probe\n');
const SPAN = { first: 11, last: 17 };
/** Of a process that ended, or of one that may not delete. */
const LEFTOVER_AFTER_MS = 3_600_000;
const MOST_LEFTOVERS = 100;

/** What one step found wrong that the storage itself takes for right. */
class Unexpected extends Error {}

/** Does with one object of its own what is done with media and records, and says of each step what the storage answered. */
@Injectable()
export class StorageProbe {
  /** One for the life of this process, so that a storage that refuses to delete does not fill with them. */
  private readonly key = `${PROBE_PREFIX}${newToken()}.txt`;

  constructor(
    private readonly storage: ObjectStorage,
    private readonly clock: Clock,
  ) {}

  /** Never throws STORAGE_UNAVAILABLE; ends within a minute. `giveUp` skips what is not yet asked. */
  async run(giveUp?: AbortSignal): Promise<ProbeReport> {
    const steps: ProbeStep[] = [];
    const leftovers: string[] = [];
    let silent = false;
    const step = async (name: ProbeStepName, work: (() => Promise<void>) | null): Promise<boolean> => {
      if (work === null || silent || giveUp?.aborted) {
        steps.push({ name, state: 'not asked' });
        return false;
      }
      const problem = await this.problemOf(name, work);
      silent = problem !== null && !problem.answered;
      steps.push(problem === null ? { name, state: 'ok' } : { name, state: 'failed', problem });
      return problem === null;
    };
    const wrote = await step('write', () => this.storage.put(this.key, CONTENT, 'text/plain'));
    await step('look', wrote ? () => this.look() : null);
    await step('read', wrote ? () => this.read() : null);
    await step('range', wrote ? () => this.readSpan() : null);
    await step('list', async () => {
      const listed = await this.list(leftovers);
      if (wrote && !listed) throw new Unexpected('the object that was just written is not in its list');
    });
    await step('delete', () => this.delete(leftovers));
    return { place: this.storage.place, steps, notices: silent ? [] : await this.notices() };
  }

  private async look(): Promise<void> {
    const info = await this.storage.head(this.key);
    if (info === null) throw new Unexpected('the object that was just written is not there');
    if (info.archived) {
      throw new Unexpected(
        'what is written goes into an archive class at once; let new objects be in a class that can be read',
      );
    }
    if (info.sizeBytes !== CONTENT.length) {
      throw new Unexpected(`of ${CONTENT.length} bytes that were written it has ${info.sizeBytes}`);
    }
  }

  private async read(): Promise<void> {
    const body = await this.storage.get(this.key);
    if (body === null || !body.equals(CONTENT))
      throw new Unexpected('it gives other bytes than were written');
  }

  private async readSpan(): Promise<void> {
    const opened = await this.storage.open(this.key, SPAN);
    if (opened === null) throw new Unexpected('the object that was just written is not there');
    const pieces: Buffer[] = [];
    for await (const piece of opened.stream as AsyncIterable<Buffer>) pieces.push(piece);
    if (!Buffer.concat(pieces).equals(CONTENT.subarray(SPAN.first, SPAN.last + 1))) {
      throw new Unexpected('it gives other bytes of a range than were written');
    }
  }

  /** Whether the object is in the list; what others left behind goes into `leftovers`. */
  private async list(leftovers: string[]): Promise<boolean> {
    const old = this.clock.now() - LEFTOVER_AFTER_MS;
    let found = false;
    for await (const { key, lastModifiedMs } of this.storage.list(PROBE_PREFIX)) {
      if (key === this.key) found = true;
      else if (lastModifiedMs < old && leftovers.length < MOST_LEFTOVERS) leftovers.push(key);
    }
    return found;
  }

  private async delete(leftovers: readonly string[]): Promise<void> {
    const results = await this.storage.deleteMany([this.key, ...leftovers]);
    const result = results.get(this.key);
    if (!result?.deleted) throw new Unexpected(result?.why ?? 'it did not confirm that it deleted an object');
    if ((await this.storage.head(this.key)) !== null) {
      throw new Unexpected('an object that it says is deleted is still there');
    }
  }

  private async problemOf(
    name: ProbeStepName,
    work: () => Promise<void>,
  ): Promise<(FaultText & { readonly answered: boolean }) | null> {
    try {
      await work();
      return null;
    } catch (error) {
      if (isTallyError(error) && error.cause instanceof StorageFault) {
        return { plain: error.message, detail: error.cause.message, answered: error.cause.answered };
      }
      const why = error instanceof Error ? error.message : String(error);
      return {
        plain: `the storage failed a probe (${name})`,
        detail: `${this.storage.place}: ${why}${name === 'delete' ? `; ${DELETE_ADVICE}` : ''}`,
        answered: true,
      };
    }
  }

  private async notices(): Promise<readonly string[]> {
    try {
      return await this.storage.notices();
    } catch (error) {
      if (!isTallyError(error)) throw error;
      return [];
    }
  }
}

const DELETE_ADVICE =
  'allow the key pair s3:DeleteObject, and look for a lock or a policy that keeps objects';
