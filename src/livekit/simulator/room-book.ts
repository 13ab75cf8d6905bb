import { DisconnectReason, ParticipantInfo, ParticipantInfo_State, Room, TrackInfo } from '@livekit/protocol';
import type { Chance } from './chance.js';
import type { Scheduler } from './scheduler.js';
import {
  isDependent,
  isRecorder,
  type JoinKind,
  newParticipant,
  newTrack,
  SimulatedRoom,
} from './simulated-room.js';
import type { SimulatorTimings } from './timings.js';
import { overBus } from './twirp-refusal.js';
import type { EventSink } from './webhook-events.js';

export interface OpenRoom {
  /** In seconds, as LiveKit counts them; 0 or absent: as configured. */
  readonly emptyTimeout?: number;
  readonly departureTimeout?: number;
  readonly maxParticipants?: number;
  readonly metadata?: string;
}

/** A room that another process goes on with. */
export interface KeptRoom extends Required<OpenRoom> {
  readonly sid: string;
  readonly name: string;
  readonly createdMs: number;
  readonly turnPassword: string;
  readonly lastLeftMs: number | null;
  readonly participants: readonly ReturnType<ParticipantInfo['toJson']>[];
}

/** What recorders have to know of the rooms they sit in. */
export interface RoomWatcher {
  published(room: SimulatedRoom): void;
  /** A recorder was put out of its room, or the room is gone. */
  recorderOut(identity: string): void;
}

/** The rooms of the server, and who is in them. */
export class RoomBook {
  private readonly rooms = new Map<string, SimulatedRoom>();
  private readonly refreshing = new Set<SimulatedRoom>();
  /** While true, counts stay at what a restart left: nothing. */
  private countsFrozen = false;
  watcher: RoomWatcher = { published: () => undefined, recorderOut: () => undefined };

  constructor(
    private readonly scheduler: Scheduler,
    private readonly timings: SimulatorTimings,
    private readonly chance: Chance,
    private readonly events: EventSink,
  ) {}

  /** Opens the room, or changes the one that is open, as CreateRoom does. */
  open(name: string, options: OpenRoom = {}): SimulatedRoom {
    const known = this.rooms.get(name);
    const room = known ?? this.create(name);
    room.emptyTimeoutSeconds = options.emptyTimeout || room.emptyTimeoutSeconds;
    room.departureTimeoutSeconds = options.departureTimeout || room.departureTimeoutSeconds;
    room.maxParticipants = options.maxParticipants || room.maxParticipants;
    room.metadata = options.metadata || room.metadata;
    if (!known) {
      this.events.room('room_started', room);
      this.closeWhenEmpty(room);
    }
    return room;
  }

  find(name: string): SimulatedRoom | null {
    return this.rooms.get(name) ?? null;
  }

  /** Throws LiveKit's 404. */
  get(name: string): SimulatedRoom {
    const room = this.rooms.get(name);
    if (!room) throw overBus('not_found', 'requested room does not exist');
    return room;
  }

  /** All, or those of the names that are open, in the order of the names. */
  list(names: readonly string[]): Room[] {
    const found = names.length === 0 ? [...this.rooms.values()] : names.map((name) => this.rooms.get(name));
    return found.filter((room) => room !== undefined).map((room) => room.toRoom());
  }

  /** Opens the room if need be. An identity that is there already is put out first, as LiveKit does. */
  join(roomName: string, identity: string, kind: JoinKind = 'standard'): SimulatedRoom {
    const room = this.open(roomName);
    if (room.participants.has(identity)) this.leave(roomName, identity, DisconnectReason.DUPLICATE_IDENTITY);
    const participant = newParticipant(this.chance.id('PA_'), identity, kind, this.scheduler.clock.now());
    room.participants.set(identity, participant);
    this.events.participant('participant_joined', room, participant);
    this.refreshSoon(room);
    return room;
  }

  publish(roomName: string, identity: string, kinds: readonly ('audio' | 'video')[] = ['audio']): void {
    const room = this.get(roomName);
    const participant = this.participant(room, identity);
    for (const kind of kinds) {
      const sid = this.chance.id(kind === 'audio' ? 'TR_AM' : 'TR_VC');
      const track = newTrack(sid, kind, this.scheduler.clock.now());
      participant.tracks.push(track);
      participant.isPublisher = true;
      this.events.track('track_published', room, participant, track);
    }
    this.refreshSoon(room);
    this.watcher.published(room);
  }

  unpublish(roomName: string, identity: string): void {
    const room = this.get(roomName);
    const participant = this.participant(room, identity);
    this.withdrawTracks(room, participant);
    participant.isPublisher = false;
    this.refreshSoon(room);
  }

  leave(roomName: string, identity: string, reason = DisconnectReason.CLIENT_INITIATED): void {
    const room = this.get(roomName);
    const participant = this.participant(room, identity);
    this.withdrawTracks(room, participant);
    room.participants.delete(identity);
    participant.state = ParticipantInfo_State.DISCONNECTED;
    participant.version += 1;
    participant.disconnectReason = reason;
    this.events.participant('participant_left', room, participant);
    this.refreshSoon(room);
    if (room.guests.length === 0 && !isDependent(participant)) {
      room.lastLeftMs = this.scheduler.clock.now();
      this.closeWhenEmpty(room);
    }
    this.watcher.recorderOut(identity);
  }

  /** Throws LiveKit's 404. */
  participant(room: SimulatedRoom, identity: string): ParticipantInfo {
    const participant = room.participants.get(identity);
    if (!participant) throw overBus('not_found', 'participant does not exist');
    return participant;
  }

  close(roomName: string, reason = DisconnectReason.ROOM_DELETED): void {
    const room = this.get(roomName);
    const everybody = [...room.guests, ...room.participants.values()].map(({ identity }) => identity);
    for (const identity of new Set(everybody)) this.leave(roomName, identity, reason);
    this.rooms.delete(roomName);
    this.events.room('room_finished', room);
  }

  /** livekit-server has just been started again over what its database held. */
  lookEmpty(): void {
    this.countsFrozen = true;
    for (const room of this.rooms.values()) room.shown = { participants: 0, publishers: 0 };
  }

  /** Rooms are set up anew and everybody has come back. */
  restoredRecording(): void {
    this.countsFrozen = false;
    for (const room of this.rooms.values()) {
      this.events.room('room_started', room);
      for (const participant of room.participants.values()) {
        participant.sid = this.chance.id('PA_');
        this.events.participant('participant_joined', room, participant);
      }
      room.refreshShown();
    }
  }

  /** Its database is lost: no room, and nobody is told. */
  forgetEverything(): void {
    this.rooms.clear();
  }

  keep(): KeptRoom[] {
    return [...this.rooms.values()].map((room) => ({
      sid: room.sid,
      name: room.name,
      createdMs: room.createdMs,
      turnPassword: room.turnPassword,
      emptyTimeout: room.emptyTimeoutSeconds,
      departureTimeout: room.departureTimeoutSeconds,
      maxParticipants: room.maxParticipants,
      metadata: room.metadata,
      lastLeftMs: room.lastLeftMs,
      participants: [...room.participants.values()].map((participant) => participant.toJson()),
    }));
  }

  /** What another process kept; nobody is told again. A recorder that is none of `recorders` is gone. */
  restore(kept: readonly KeptRoom[], recorders: ReadonlySet<string>): void {
    for (const { sid, name, createdMs, turnPassword, ...state } of kept) {
      const room = new SimulatedRoom(
        sid,
        name,
        createdMs,
        turnPassword,
        state.emptyTimeout,
        state.departureTimeout,
      );
      room.maxParticipants = state.maxParticipants;
      room.metadata = state.metadata;
      room.lastLeftMs = state.lastLeftMs;
      for (const json of state.participants) {
        const participant = ParticipantInfo.fromJson(json);
        if (isRecorder(participant) && !recorders.has(participant.identity)) continue;
        room.participants.set(participant.identity, participant);
      }
      room.refreshShown();
      this.rooms.set(name, room);
      if (room.guests.length === 0) this.closeWhenEmpty(room);
    }
  }

  private create(name: string): SimulatedRoom {
    const room = new SimulatedRoom(
      this.chance.id('RM_'),
      name,
      this.scheduler.clock.now(),
      this.chance.id('', 44),
      this.timings.emptyTimeoutSeconds,
      this.timings.departureTimeoutSeconds,
    );
    this.rooms.set(name, room);
    return room;
  }

  private withdrawTracks(room: SimulatedRoom, participant: ParticipantInfo): void {
    const tracks: TrackInfo[] = participant.tracks.splice(0);
    for (const track of tracks) this.events.track('track_unpublished', room, participant, track);
  }

  /** Counts are shown late: changes of one interval together, as the server's cache does. */
  private refreshSoon(room: SimulatedRoom): void {
    if (this.refreshing.has(room)) return;
    this.refreshing.add(room);
    this.scheduler.after(this.timings.countsAgeMs, () => {
      this.refreshing.delete(room);
      if (!this.countsFrozen) room.refreshShown();
    });
  }

  private closeWhenEmpty(room: SimulatedRoom): void {
    const since = room.lastLeftMs;
    const seconds = since === null ? room.emptyTimeoutSeconds : room.departureTimeoutSeconds;
    this.scheduler.after(seconds * 1_000 * this.timings.scale, () => {
      const stillOpen = this.rooms.get(room.name) === room;
      if (stillOpen && room.guests.length === 0 && room.lastLeftMs === since) {
        this.close(room.name, DisconnectReason.ROOM_CLOSED);
      }
    });
  }
}
