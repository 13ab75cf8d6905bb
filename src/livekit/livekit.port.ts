import type {
  EgressSeen,
  FleetAnswer,
  LiveRoomSeen,
  ParticipantSeen,
  StartEgress,
  StartOutcome,
  StopOutcome,
  WorkerAnswer,
  WorkerKind,
} from './livekit.types.js';

/**
 * What we ask of LiveKit, in our words. "No" is a value; whatever kept us from asking (no answer in time, 401,
 * a 5xx that is not listed at the method) is thrown as LIVEKIT_UNAVAILABLE. No text of LiveKit's leaves the
 * adapter unread: its error bodies can hold our token.
 */
export abstract class LiveKit {
  /** Null: LiveKit lists no such room. */
  abstract findRoom(name: string): Promise<LiveRoomSeen | null>;
  abstract listRooms(): Promise<LiveRoomSeen[]>;
  /** Recorders and agents included, also hidden ones; an unknown room has none. */
  abstract listParticipants(roomName: string): Promise<ParticipantSeen[]>;

  /** Never throws for LiveKit's sake: an unknown outcome is a result of its own. Asked once, never repeated. */
  abstract startEgress(request: StartEgress): Promise<StartOutcome>;
  abstract stopEgress(egressId: string): Promise<StopOutcome>;
  /** By id, where LiveKit's "not found" can be believed; a list by room can be falsely empty. */
  abstract findEgress(egressId: string): Promise<EgressSeen | null>;
  /** Everything LiveKit lists (ended ones for about a day), or one room's; unordered. An empty list is no proof of anything. */
  abstract listEgresses(filter?: { roomName?: string; active?: boolean }): Promise<EgressSeen[]>;

  /** UpdateStream with nothing to do: harmless. For an egress listed STARTING or ACTIVE. */
  abstract askWorker(egressId: string): Promise<WorkerAnswer>;
  /** StopEgress once more, without further effect: for an egress listed ENDING. */
  abstract askEndingWorker(egressId: string): Promise<WorkerAnswer>;
  /** Whether a worker has room for one of this kind: a start without any output in an open room, which creates nothing. */
  abstract askFleet(roomName: string, kind: WorkerKind): Promise<FleetAnswer>;
  /** The stop that needs no worker: a recorder's identity is its egress id. False: it was not in the room. */
  abstract removeRecorder(roomName: string, egressId: string): Promise<boolean>;

  /** A reliable data packet to everybody in the room, or to the named identities. */
  abstract sendData(
    roomName: string,
    topic: string,
    payload: Uint8Array,
    to?: readonly string[],
  ): Promise<void>;
  /** Throws when LiveKit can't be reached or refuses our credentials. */
  abstract checkAccess(): Promise<void>;
}
