import {
  type EgressInfo,
  EgressStatus,
  ParticipantInfo,
  Room,
  TrackInfo,
  WebhookEvent,
} from '@livekit/protocol';
import type { Clock } from '../../kernel/clock.js';
import type { Chance } from './chance.js';
import type { SimulatedRoom } from './simulated-room.js';

/** Who is told what happens on the server. */
export interface EventSink {
  room(event: 'room_started' | 'room_finished', room: SimulatedRoom): void;
  participant(
    event: 'participant_joined' | 'participant_left',
    room: SimulatedRoom,
    who: ParticipantInfo,
  ): void;
  track(
    event: 'track_published' | 'track_unpublished',
    room: SimulatedRoom,
    who: ParticipantInfo,
    track: TrackInfo,
  ): void;
  egress(event: 'egress_started' | 'egress_updated' | 'egress_ended', info: EgressInfo): void;
}

/** Events of one key are delivered in order: a room's name, or an egress' id. */
export interface KeyedEvent {
  readonly key: string;
  readonly roomName: string;
  readonly event: WebhookEvent;
}

/** Puts what happened into LiveKit's webhook events, each with just the parts that LiveKit fills. */
export class WebhookEvents implements EventSink {
  constructor(
    private readonly clock: Clock,
    private readonly chance: Chance,
    private readonly send: (event: KeyedEvent) => void,
  ) {}

  room(event: 'room_started' | 'room_finished', room: SimulatedRoom): void {
    this.tell(room.name, room.name, { event, room: room.toRoom() });
  }

  participant(
    event: 'participant_joined' | 'participant_left',
    room: SimulatedRoom,
    who: ParticipantInfo,
  ): void {
    const participant = who.clone();
    participant.tracks = [];
    this.tell(room.name, room.name, { event, room: room.toRoom(), participant });
  }

  track(
    event: 'track_published' | 'track_unpublished',
    room: SimulatedRoom,
    who: ParticipantInfo,
    track: TrackInfo,
  ): void {
    this.tell(room.name, room.name, {
      event,
      room: new Room({ sid: room.sid, name: room.name }),
      participant: new ParticipantInfo({ sid: who.sid, identity: who.identity }),
      track: track.clone(),
    });
  }

  egress(event: 'egress_started' | 'egress_updated' | 'egress_ended', info: EgressInfo): void {
    this.tell(info.egressId, info.roomName, { event, egressInfo: info.clone() });
  }

  private tell(key: string, roomName: string, parts: Partial<WebhookEvent>): void {
    const event = new WebhookEvent({
      ...parts,
      id: this.chance.id('EV_'),
      createdAt: BigInt(Math.floor(this.clock.now() / 1_000)),
    });
    this.send({ key, roomName, event });
  }
}

/** What LiveKit calls the event of a record in this status. */
export function eventOf(status: EgressStatus): 'egress_updated' | 'egress_ended' {
  const isRunning = status === EgressStatus.EGRESS_ACTIVE || status === EgressStatus.EGRESS_ENDING;
  return isRunning ? 'egress_updated' : 'egress_ended';
}
