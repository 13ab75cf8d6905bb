import type { ErrorCode } from '../../kernel/errors.js';
import type { BulkDeletionId, RoomId } from '../../kernel/ids.js';

export type BulkDeletionStatus = 'QUEUED' | 'RUNNING' | 'COMPLETED' | 'COMPLETED_WITH_FAILURES';

/** What was asked for, and by whom; never changes. Instants in ms. */
export interface BulkDeletion {
  readonly id: BulkDeletionId;
  readonly requestedBy: { readonly name: string; readonly callerId: string };
  /** What the caller could see when it asked; null: every room. */
  readonly visibleRooms: readonly RoomId[] | null;
  /** `ids`: those that were named. `room`: all that the room has; `room-deleted`: all that a room that is gone had. */
  readonly scope: 'ids' | 'room' | 'room-deleted';
  readonly roomId: RoomId | null;
  readonly dryRun: boolean;
  readonly createdAt: number;
  /** How many there were when it was asked for. */
  readonly expected: number;
}

/** What of it is known when it is asked for. Without anything pending one of named recordings has finished at once. */
export interface Opening {
  /** Left to the job. */
  readonly pending: readonly string[];
  /** Named, and nothing that the caller can see: kept as names alone, and shown as RECORDING_NOT_FOUND. */
  readonly unseen: readonly string[];
  /** Of a dry run: what the real one would delete and refuse. */
  readonly deleted: readonly string[];
  readonly failed: readonly BulkDeletionFailure[];
}

export const LEFT_TO_THE_JOB: Opening = { pending: [], unseen: [], deleted: [], failed: [] };

export function isSettled({ scope }: BulkDeletion, { pending }: Opening): boolean {
  return scope === 'ids' && pending.length === 0;
}

/** How long one is kept after it has finished, in s: what did nothing, for as long as somebody looks at it. */
export function keptSeconds({ dryRun }: BulkDeletion, didSomething: boolean): number {
  return dryRun || !didSomething ? 600 : 7 * 86_400;
}

/** A bulk deletion with how far it has come. */
export interface BulkDeletionSeen extends BulkDeletion {
  readonly status: BulkDeletionStatus;
  /** 0 before it runs; grows with each further try for what could not be deleted at first. */
  readonly attempt: number;
  readonly total: number;
  readonly deletedCount: number;
  readonly failedCount: number;
  readonly finishedAt: number | null;
  /** Every recording of the room was found, so that no further one has to be looked for. */
  readonly collected: boolean;
  /** Where the search for the room's recordings goes on; null: at its beginning. */
  readonly collectedTo: string | null;
}

export interface BulkDeletionFailure {
  readonly recordingId: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly attempts: number;
}

/** Where the objects of a recording are: all that is needed of it once its row is gone. */
export interface Claim {
  readonly roomId: RoomId;
  /** False: it has no segments to be looked for. Left out by an older version, which did not know of any. */
  readonly crashProof?: boolean;
}

/** What is known of a recording that is not settled yet. */
export interface Work {
  /** Set before anything of it is touched: when its row is gone after that, it was deleted. */
  readonly claim?: Claim;
  /** Tries to delete it that failed. */
  readonly attempts: number;
  /** Since when its end is waited for. */
  readonly waitingSince?: number;
}

/** A recording, or what was given as one, that is not settled yet. */
export interface Entry {
  readonly recordingId: string;
  readonly work: Work;
}

export const NEW_WORK: Work = { attempts: 0 };

/** After one more try that failed. */
export function workAfterTry(before: Work, { roomId, crashProof }: Claim): Work {
  const claim = { roomId, ...(crashProof !== undefined && { crashProof }) };
  return { ...before, claim, attempts: before.attempts + 1 };
}

/** How long until a recording is tried again that failed so often, in ms. */
export function backoffMs(firstMs: number, attempts: number): number {
  return Math.min(firstMs * 2 ** (attempts - 1), LONGEST_BACKOFF_MS);
}
const LONGEST_BACKOFF_MS = 10 * 60_000;

/** How long until a recording that is to end is looked at again, in ms. */
export function nextLookMs(waitedMs: number): number {
  return Math.min(Math.max(waitedMs / 3, 300), 5_000);
}
