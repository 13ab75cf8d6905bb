import {
  CreateRoomRequest,
  DeleteRoomRequest,
  DisconnectReason,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  ParticipantInfo,
  Room,
  RoomParticipantIdentity,
  SendDataRequest,
  UpdateRoomMetadataRequest,
} from '@livekit/protocol';
import type { FaultBook } from './faults.js';
import type { RoomBook } from './room-book.js';
import type { Scheduler } from './scheduler.js';
import type { SimulatorTimings } from './timings.js';
import { overBus, TwirpRefusal } from './twirp-refusal.js';
import type { WorkerFleet } from './worker-fleet.js';

/** A data packet that the server delivered into a room. */
export interface SentData {
  readonly roomName: string;
  readonly topic: string;
  readonly payload: Buffer;
  /** Empty: everybody. */
  readonly to: readonly string[];
}

const KEPT_PACKETS = 1_000;

/** livekit-server's answers about rooms. Lists come from its database, everything else over the message bus. */
export class RoomDesk {
  readonly sent: SentData[] = [];

  constructor(
    private readonly rooms: RoomBook,
    private readonly fleet: WorkerFleet,
    private readonly faults: FaultBook,
    private readonly scheduler: Scheduler,
    private readonly timings: SimulatorTimings,
  ) {}

  create(request: CreateRoomRequest): Room {
    this.fail(request.name);
    return this.rooms.open(request.name, request).toRoom();
  }

  list({ names }: ListRoomsRequest): ListRoomsResponse {
    for (const name of names.length > 0 ? names : [null]) this.fail(name);
    return new ListRoomsResponse({ rooms: this.rooms.list(names) });
  }

  async delete({ room }: DeleteRoomRequest): Promise<void> {
    this.fail(room);
    this.rooms.get(room);
    await this.needBus();
    this.rooms.close(room);
  }

  /** An unknown room has none. */
  listParticipants({ room }: ListParticipantsRequest): ListParticipantsResponse {
    this.fail(room);
    const participants = [...(this.rooms.find(room)?.participants.values() ?? [])];
    return new ListParticipantsResponse({ participants: participants.map((each) => each.clone()) });
  }

  getParticipant({ room, identity }: RoomParticipantIdentity): ParticipantInfo {
    this.fail(room);
    return this.rooms.participant(this.rooms.get(room), identity).clone();
  }

  async removeParticipant({ room, identity }: RoomParticipantIdentity): Promise<void> {
    this.fail(room);
    this.rooms.participant(this.rooms.get(room), identity);
    await this.needBus();
    this.rooms.leave(room, identity, DisconnectReason.PARTICIPANT_REMOVED);
  }

  updateMetadata({ room, metadata }: UpdateRoomMetadataRequest): Room {
    this.fail(room);
    const found = this.rooms.get(room);
    found.metadata = metadata;
    return found.toRoom();
  }

  /** A room that nobody serves is silence, not a 404. */
  async sendData(request: SendDataRequest): Promise<void> {
    this.fail(request.room);
    if (!this.rooms.find(request.room)) await this.silence();
    await this.needBus();
    this.sent.push({
      roomName: request.room,
      topic: request.topic ?? '',
      payload: Buffer.from(request.data),
      to: request.destinationIdentities,
    });
    if (this.sent.length > KEPT_PACKETS) this.sent.shift();
  }

  private fail(roomName: string | null): void {
    if (this.faults.strike('rooms-fail', roomName))
      throw new TwirpRefusal('unknown', 'redis: connection refused');
  }

  private async needBus(): Promise<void> {
    if (this.fleet.isSilent) await this.silence();
  }

  private async silence(): Promise<never> {
    await this.scheduler.pause(this.timings.silenceMs);
    throw overBus('unavailable', 'no response from servers');
  }
}
