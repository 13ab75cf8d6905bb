import { Injectable, Logger } from '@nestjs/common';
import pLimit from 'p-limit';
import { isTallyError } from '../kernel/errors.js';
import type { Artifacts } from './object-keys.js';
import { type DeleteResult, ObjectStorage } from './object-storage.port.js';

const LISTS_AT_ONCE = 16;
/** As many as one request takes. */
const KEYS_AT_ONCE = 1_000;
const DONE = '';

/** What became of one recording's objects. Not all of it gone may be nothing gone: `haveMedia` tells. */
export type Removal = { readonly gone: true } | { readonly gone: false; readonly why: string };

const GONE: Removal = { gone: true };
const NO_ANSWER = 'the storage could not be asked';
const NOT_CONFIRMED = 'the storage has not confirmed that it is deleted';

/** Removes everything of a recording from the storage, of any number of recordings with few requests. */
@Injectable()
export class RecordingObjects {
  private readonly log = new Logger('Storage');

  constructor(private readonly storage: ObjectStorage) {}

  /**
   * Media, then segments, then the record, each step only for those whose step before the storage confirmed key by key: a
   * crash in between leaves a record without media, which a sweep can see; the other order leaves a file nobody knows.
   * One answer for each, in their order; what was not there is gone. Safe to repeat. Never throws STORAGE_UNAVAILABLE.
   * `giveUp` ends the waiting: what is not answered for by then counts as not asked.
   */
  async remove(all: readonly Artifacts[], giveUp?: AbortSignal): Promise<Removal[]> {
    const results = new Map<Artifacts, Removal>();
    let left = all;
    for (const step of [
      () => this.removeKeys(left, (one) => one.media, giveUp),
      () => this.removeListed(left, giveUp),
      () => this.removeKeys(left, (one) => [one.record], giveUp),
    ]) {
      const faults = await step();
      for (const [one, why] of faults) results.set(one, { gone: false, why });
      left = left.filter((one) => !faults.has(one));
    }
    return all.map((one) => results.get(one) ?? GONE);
  }

  /** Of each, in their order, whether its media is there; null: the storage could not be asked. */
  async haveMedia(all: readonly Artifacts[]): Promise<(boolean | null)[]> {
    const limit = pLimit(LISTS_AT_ONCE);
    let away = false;
    const isThere = async ({ media }: Artifacts): Promise<boolean | null> => {
      for (const key of media) {
        const found = away
          ? null
          : await this.unlessAway(async () => (await this.storage.head(key)) !== null);
        away ||= found === null;
        if (found !== false) return found;
      }
      return false;
    };
    return Promise.all(all.map((one) => limit(() => isThere(one))));
  }

  /** The segments alone, as many pages of them as there are. Safe to repeat. Null: they are gone; else why not. */
  async removeSegments(one: Artifacts): Promise<string | null> {
    return (await this.removeListed([one], undefined)).get(one) ?? null;
  }

  /** What is found by its prefix, page by page: a long recording has tens of thousands of segments. */
  private async removeListed(
    all: readonly Artifacts[],
    giveUp: AbortSignal | undefined,
  ): Promise<Map<Artifacts, string>> {
    const faults = new Map<Artifacts, string>();
    const limit = pLimit(LISTS_AT_ONCE);
    let away = false;
    await Promise.all(
      all.map((one) =>
        limit(async () => {
          // Who does not answer one is not asked a thousand times.
          const why = away ? NO_ANSWER : await this.unlessAway(() => this.removePages(one, giveUp), giveUp);
          away ||= why === null;
          if (why !== DONE) faults.set(one, why ?? NO_ANSWER);
        }),
      ),
    );
    return faults;
  }

  /** DONE, or why not. */
  private async removePages({ prefixes }: Artifacts, giveUp: AbortSignal | undefined): Promise<string> {
    for (const prefix of prefixes) {
      let page: string[] = [];
      const flush = async (): Promise<string> => {
        const results = await this.ask(page, giveUp);
        const why = page.map((key) => whyNot(results, key)).find((fault) => fault !== null);
        page = [];
        return why ?? DONE;
      };
      for await (const { key } of this.storage.list(prefix)) {
        if (page.push(key) < KEYS_AT_ONCE) continue;
        const done = await flush();
        if (done !== DONE) return done;
      }
      const done = await flush();
      if (done !== DONE) return done;
    }
    return DONE;
  }

  /** Those of which not everything is gone, and why. */
  private async removeKeys(
    all: readonly Artifacts[],
    keysOf: (one: Artifacts) => readonly string[],
    giveUp: AbortSignal | undefined,
  ): Promise<Map<Artifacts, string>> {
    const faults = new Map<Artifacts, string>();
    const keys = new Map(all.map((one) => [one, keysOf(one)]));
    const results = await this.ask([...keys.values()].flat(), giveUp);
    for (const [one, its] of keys) {
      const refused = its.flatMap((key) => {
        const why = whyNot(results, key);
        return why === null ? [] : [{ key, why }];
      });
      const [first] = refused;
      if (first === undefined) continue;
      // A recording has one media file: where one key of it is deleted and the other refused, that was perhaps never there.
      const isPartly = refused.length < its.length;
      if (!isPartly || !(await this.areMissing(refused, giveUp))) faults.set(one, first.why);
    }
    return faults;
  }

  /** False also where the storage could not be asked. */
  private async areMissing(
    refused: readonly { readonly key: string }[],
    giveUp: AbortSignal | undefined,
  ): Promise<boolean> {
    for (const { key } of refused) {
      const isThere = await this.unlessAway(
        async () => (await this.storage.head(key, giveUp)) !== null,
        giveUp,
      );
      if (isThere !== false) return false;
    }
    return true;
  }

  /** Null: the storage could not be asked, and has deleted nothing that we know of. */
  private ask(
    keys: readonly string[],
    giveUp: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, DeleteResult> | null> {
    return keys.length === 0
      ? Promise.resolve(new Map())
      : this.unlessAway(() => this.storage.deleteMany(keys), giveUp);
  }

  private async unlessAway<T>(work: () => Promise<T>, giveUp?: AbortSignal): Promise<T | null> {
    if (giveUp?.aborted) return null;
    try {
      return await unlessGivenUp(work(), giveUp);
    } catch (error) {
      if (!isTallyError(error, 'STORAGE_UNAVAILABLE')) throw error;
      this.log.warn({ event: 'objects_not_removed', message: error.message, err: error.cause });
      return null;
    }
  }
}

/** Null where it is given up first. */
function unlessGivenUp<T>(work: Promise<T>, giveUp: AbortSignal | undefined): Promise<T | null> {
  if (giveUp === undefined) return work;
  return new Promise((resolve, reject) => {
    const end = (): void => resolve(null);
    giveUp.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => giveUp.removeEventListener('abort', end));
  });
}

function whyNot(results: ReadonlyMap<string, DeleteResult> | null, key: string): string | null {
  if (results === null) return NO_ANSWER;
  const result = results.get(key);
  if (result === undefined) return NOT_CONFIRMED;
  return result.deleted ? null : result.why;
}
