import { TallyError } from '../kernel/errors.js';

/** The name of a failure as its maker gave it, fit to be shown: never a message of a dependency. */
export function failureName(error: unknown): string {
  const named = error as { code?: unknown; Code?: unknown; name?: unknown } | null;
  const name = [named?.code, named?.Code, named?.name].find(
    (part) => typeof part === 'string' && part !== '',
  );
  return String(name ?? 'unknown failure')
    .replace(/[^A-Za-z0-9_. -]/g, '')
    .slice(0, 64);
}

/** `doing` completes "the storage failed": `reading recordings/a/b.mp4`. */
export function storageUnavailable(doing: string, cause: unknown, advice = 'try again later'): TallyError {
  return new TallyError(
    'STORAGE_UNAVAILABLE',
    `the storage failed ${doing} (${failureName(cause)}); ${advice}`,
    { cause },
  );
}

export function beyondEnd(key: string, first: number, sizeBytes: number): TallyError {
  return new TallyError(
    'RANGE_NOT_SATISFIABLE',
    `${key} has ${sizeBytes} bytes; there is no byte ${first} in it`,
  );
}
