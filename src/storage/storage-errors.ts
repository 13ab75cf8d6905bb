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

/** What was asked: `verb` completes "the storage failed" and is for everybody, `of` says which object and is for the log. */
export interface Asked {
  readonly verb: string;
  readonly of?: string;
}

/** A failure in words. */
export interface FaultText {
  /** For a client: what is wrong, without a key, a host, a bucket or a variable's name. */
  readonly plain: string;
  /** For the log: who was asked, what the answer was and what to do. */
  readonly detail: string;
  /** False: nothing came back at all, or that it can't now. */
  readonly answered?: boolean;
}

/** The cause of a STORAGE_UNAVAILABLE, for the log and for an operator: it names hosts, buckets and objects. */
export class StorageFault extends Error {
  constructor(
    message: string,
    readonly answered: boolean,
    cause: unknown,
  ) {
    super(message, { cause });
    this.name = 'StorageFault';
  }
}

export function storageUnavailable(asked: Asked, cause: unknown, text: FaultText): TallyError {
  const { verb, of } = asked;
  return new TallyError(
    'STORAGE_UNAVAILABLE',
    `the storage failed ${verb} (${failureName(cause)}): ${text.plain}`,
    {
      cause: new StorageFault(
        `${verb}${of === undefined ? '' : ` ${of}`}: ${text.detail}`,
        text.answered ?? true,
        cause,
      ),
    },
  );
}

/** Thrown where an object is there but in a class of storage that nothing can be read from before it is restored. */
export class ObjectArchived extends Error {
  constructor(cause?: unknown) {
    super('the object is in an archive class of the storage', { cause });
    this.name = 'ObjectArchived';
  }
}

export function beyondEnd(first: number, sizeBytes: number): TallyError {
  return new TallyError(
    'RANGE_NOT_SATISFIABLE',
    `the object has ${sizeBytes} bytes; there is no byte ${first} in it`,
  );
}
