import type { RecordingId, RoomId } from '../../kernel/ids.js';
import type { StoredRecording } from '../domain/recording.js';

/** A room that is held; `since` in ms. */
export interface HeldSlot {
  readonly roomId: RoomId;
  readonly recordingId: RecordingId;
  readonly since: number;
}

/** The rooms that are held, for whoever looks for those that should not be, or should. Every method throws REDIS_UNAVAILABLE. */
export abstract class RoomSlots {
  /** Oldest first. */
  abstract heldLongerThan(ms: number): AsyncIterable<HeldSlot>;
  /**
   * Frees a room whose recording is not there (`rev` null) or does not hold it by its own row at that revision.
   * False: something of it has changed since, and nothing is changed now.
   */
  abstract free(slot: HeldSlot, rev: number | null): Promise<boolean>;
  /** Gives a room that nobody holds back to the recording that holds it by its own row. False: nothing is changed. */
  abstract take(recording: Pick<StoredRecording, 'id' | 'roomId' | 'rev'>): Promise<boolean>;
}
