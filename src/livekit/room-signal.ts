import { Injectable, Logger } from '@nestjs/common';
import { isTallyError } from '../kernel/errors.js';
import { LiveKit } from './livekit.port.js';

export const ROOM_SIGNAL_TOPIC = 'tallylight.recording';

/** A recording's present state as the room's participants are told it. */
export interface RoomSignal {
  readonly recordingId: string;
  readonly roomId: string;
  /** The contract's word. */
  readonly status: string;
  readonly version: number;
  /** Why it failed, in words for a person, without addresses and secrets. */
  readonly error?: string | null;
}

/** The bytes of the data packet: `{"recordingId","roomId","status","version","error"?}`. */
export function toRoomSignalPayload(signal: RoomSignal): Uint8Array {
  const { recordingId, roomId, status, version, error } = signal;
  return new TextEncoder().encode(
    JSON.stringify({ recordingId, roomId, status, version, ...(error ? { error } : {}) }),
  );
}

/** Tells the people in the room. Best effort by contract: the time it takes is bounded by LIVEKIT_TIMEOUT, and it never fails. */
@Injectable()
export class RoomSignals {
  private readonly log = new Logger('RoomSignals');

  constructor(private readonly livekit: LiveKit) {}

  /** To everybody in the room, or to the named identities. */
  async send(roomName: string, signal: RoomSignal, to?: readonly string[]): Promise<void> {
    try {
      await this.livekit.sendData(roomName, ROOM_SIGNAL_TOPIC, toRoomSignalPayload(signal), to);
    } catch (error) {
      // A room that has closed answers like one that can't be reached, and nobody is left to be told.
      this.log.debug({
        message: 'a room was not told of its recording',
        roomName,
        recordingId: signal.recordingId,
        status: signal.status,
        cause: isTallyError(error) ? error.message : String(error),
      });
    }
  }
}
