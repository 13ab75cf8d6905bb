import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import type { RoomAtEnd } from '../domain/facts.js';
import { RecordingWriter, type Applied } from '../write/recording.writer.js';

/**
 * The one way in which what LiveKit shows of an egress reaches its recording. An egress says the same when its room was
 * closed and when its recorder alone is out of a meeting that goes on, so the room is looked at before either is said.
 */
@Injectable()
export class ObserveEgresses {
  constructor(
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly clock: Clock,
  ) {}

  /** Null: there is no such recording. Throws LIVEKIT_UNAVAILABLE where the room could not be looked at. */
  async one(id: RecordingId, egress: EgressSeen, cause: string): Promise<Applied | null> {
    const room = await this.roomOf([egress]);
    return this.writer.apply(id, { kind: 'egress-seen', egress, room, at: this.clock.now() }, cause);
  }

  /** Every egress of the recording that LiveKit lists, as it was at the instant `at` or later. */
  async listed(
    id: RecordingId,
    egresses: readonly EgressSeen[],
    at: number,
    cause: string,
  ): Promise<Applied | null> {
    const room = await this.roomOf(egresses);
    return this.writer.apply(id, { kind: 'egresses-listed', egresses, room, at }, cause);
  }

  private async roomOf(egresses: readonly EgressSeen[]): Promise<RoomAtEnd> {
    const closed = egresses.find(isSourceClosed);
    if (closed === undefined) return 'over';
    const room = await this.livekit.findRoom(closed.roomName);
    if (room === null || (closed.roomSid !== null && room.sid !== closed.roomSid)) return 'over';
    // Counts are some seconds old; who is there is asked.
    const participants = await this.livekit.listParticipants(closed.roomName);
    const publishes = participants.some(
      (one) => one.publishes && one.kind !== 'egress' && one.kind !== 'agent',
    );
    return publishes ? 'goes-on' : 'over';
  }
}

function isSourceClosed({ status, endCause }: EgressSeen): boolean {
  if (status !== 'ENDING' && status !== 'COMPLETE' && status !== 'ABORTED') return false;
  return endCause === null || endCause === 'source-closed' || endCause === 'streams-stopped';
}
