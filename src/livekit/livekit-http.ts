import {
  DataPacket_Kind,
  EgressInfo,
  ListEgressRequest,
  ListEgressResponse,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  RemoveParticipantResponse,
  RoomCompositeEgressRequest,
  RoomParticipantIdentity,
  SendDataRequest,
  SendDataResponse,
  StopEgressRequest,
  type TokenPagination,
  UpdateStreamRequest,
} from '@livekit/protocol';
import { Injectable } from '@nestjs/common';
import type { VideoGrant } from 'livekit-server-sdk';
import { Config } from '../config/config.js';
import { TallyError } from '../kernel/errors.js';
import { newToken } from '../kernel/ids.js';
import { toEgressSeen, toLiveRoomSeen, toParticipantSeen } from './livekit.mapping.js';
import { LiveKit } from './livekit.port.js';
import type {
  EgressSeen,
  FleetAnswer,
  LiveRoomSeen,
  ParticipantSeen,
  StartEgress,
  StartOutcome,
  StopOutcome,
  WorkerAnswer,
} from './livekit.types.js';
import { toStartRequest } from './start-request.mapping.js';
import {
  type Asked,
  orNotFound,
  orThrow,
  toEndingWorkerAnswer,
  toFleetAnswer,
  toStartOutcome,
  toStopOutcome,
  toWorkerAnswer,
} from './twirp-answers.mapping.js';
import { type TwirpAnswer, TwirpConnection, type TwirpMethod, type TwirpRequest } from './twirp.js';

const RECORD: VideoGrant = { roomRecord: true };
const LIST: VideoGrant = { roomList: true };
const adminOf = (room: string): VideoGrant => ({ roomAdmin: true, room });

/** LiveKit over its Twirp API. */
@Injectable()
export class HttpLiveKit extends LiveKit {
  private readonly server: TwirpConnection;

  constructor(private readonly config: Config) {
    super();
    this.server = new TwirpConnection(config.livekit);
  }

  async findRoom(name: string): Promise<LiveRoomSeen | null> {
    const rooms = await this.roomsNamed([name]);
    return rooms.find((room) => room.name === name) ?? null;
  }

  listRooms(): Promise<LiveRoomSeen[]> {
    return this.roomsNamed([]);
  }

  async listParticipants(roomName: string): Promise<ParticipantSeen[]> {
    const { participants } = await this.ask(orThrow<ListParticipantsResponse>, {
      method: 'RoomService/ListParticipants',
      message: new ListParticipantsRequest({ room: roomName }),
      answer: ListParticipantsResponse,
      grant: adminOf(roomName),
      limitMs: this.config.livekitTimeoutMs,
    });
    return participants.map(toParticipantSeen);
  }

  startEgress(start: StartEgress): Promise<StartOutcome> {
    return this.ask(toStartOutcome, this.startRequest(toStartRequest(start), start.withinMs));
  }

  stopEgress(egressId: string): Promise<StopOutcome> {
    return this.ask(toStopOutcome, this.stopRequest(egressId));
  }

  async findEgress(egressId: string): Promise<EgressSeen | null> {
    // An empty id is no filter to LiveKit: it would list everything.
    if (egressId === '') return null;
    const list = await this.ask(orNotFound<ListEgressResponse>, this.egressList({ egressId }));
    const info = list?.items.find((item) => item.egressId === egressId);
    return info ? toEgressSeen(info) : null;
  }

  async listEgresses(filter: { roomName?: string; active?: boolean } = {}): Promise<EgressSeen[]> {
    const found: EgressSeen[] = [];
    let pageToken: TokenPagination | undefined;
    for (let page = 0; page < MOST_PAGES; page++) {
      const request = this.egressList({ ...filter, ...(pageToken && { pageToken }) });
      const { items, nextPageToken } = await this.ask(orThrow<ListEgressResponse>, request);
      for (const item of items) found.push(toEgressSeen(item));
      if (!nextPageToken?.token) return found;
      pageToken = nextPageToken;
    }
    throw new TallyError(
      'LIVEKIT_UNAVAILABLE',
      `LiveKit's list of egresses has more than ${MOST_PAGES} pages`,
    );
  }

  askWorker(egressId: string): Promise<WorkerAnswer> {
    return this.ask(toWorkerAnswer, {
      method: 'Egress/UpdateStream',
      message: new UpdateStreamRequest({ egressId }),
      answer: EgressInfo,
      grant: RECORD,
      limitMs: this.config.livekitStopTimeoutMs,
    });
  }

  askEndingWorker(egressId: string): Promise<WorkerAnswer> {
    return this.ask(toEndingWorkerAnswer, this.stopRequest(egressId));
  }

  askFleet(roomName: string): Promise<FleetAnswer> {
    return this.askFleetWith(this.startRequest(new RoomCompositeEgressRequest({ roomName })));
  }

  async removeRecorder(roomName: string, egressId: string): Promise<boolean> {
    const removed = await this.ask(orNotFound<RemoveParticipantResponse>, {
      method: 'RoomService/RemoveParticipant',
      message: new RoomParticipantIdentity({ room: roomName, identity: egressId }),
      answer: RemoveParticipantResponse,
      grant: adminOf(roomName),
      limitMs: this.config.livekitTimeoutMs,
    });
    return removed !== null;
  }

  async sendData(
    roomName: string,
    topic: string,
    payload: Uint8Array,
    to?: readonly string[],
  ): Promise<void> {
    // To LiveKit no names at all mean everybody.
    if (to?.length === 0) return;
    await this.ask(orThrow<SendDataResponse>, {
      method: 'RoomService/SendData',
      message: new SendDataRequest({
        room: roomName,
        topic,
        data: new Uint8Array(payload),
        kind: DataPacket_Kind.RELIABLE,
        destinationIdentities: [...(to ?? [])],
      }),
      answer: SendDataResponse,
      grant: adminOf(roomName),
      limitMs: this.config.livekitTimeoutMs,
    });
  }

  /** Both grants that everything else stands on, asked for what can't exist. */
  async checkAccess(): Promise<void> {
    const nobody = `no-such-${newToken()}`;
    await Promise.all([this.roomsNamed([nobody]), this.findEgress(nobody)]);
  }

  private async askFleetWith(request: TwirpRequest<EgressInfo>): Promise<FleetAnswer> {
    const answer = await this.server.ask(request);
    // Nobody knows what it records, or where: it must not run on.
    if (answer.kind === 'ok') await this.stopEgress(answer.message.egressId);
    return toFleetAnswer(answer, { name: nameOf(request.method), limitMs: request.limitMs });
  }

  private async roomsNamed(names: string[]): Promise<LiveRoomSeen[]> {
    const { rooms } = await this.ask(orThrow<ListRoomsResponse>, {
      method: 'RoomService/ListRooms',
      message: new ListRoomsRequest({ names }),
      answer: ListRoomsResponse,
      grant: LIST,
      limitMs: this.config.livekitTimeoutMs,
    });
    return rooms.map(toLiveRoomSeen);
  }

  private async ask<T, R>(
    understand: (answer: TwirpAnswer<T>, asked: Asked) => R,
    request: TwirpRequest<T>,
  ): Promise<R> {
    const answer = await this.server.ask(request);
    return understand(answer, { name: nameOf(request.method), limitMs: request.limitMs });
  }

  private startRequest(message: RoomCompositeEgressRequest, withinMs = Infinity): TwirpRequest<EgressInfo> {
    return {
      method: 'Egress/StartRoomCompositeEgress',
      message,
      answer: EgressInfo,
      grant: RECORD,
      limitMs: Math.min(this.config.livekitStartTimeoutMs, withinMs),
    };
  }

  private stopRequest(egressId: string): TwirpRequest<EgressInfo> {
    return {
      method: 'Egress/StopEgress',
      message: new StopEgressRequest({ egressId }),
      answer: EgressInfo,
      grant: RECORD,
      limitMs: this.config.livekitStopTimeoutMs,
    };
  }

  private egressList(filter: {
    egressId?: string;
    roomName?: string;
    active?: boolean;
    pageToken?: TokenPagination;
  }): TwirpRequest<ListEgressResponse> {
    return {
      method: 'Egress/ListEgress',
      message: new ListEgressRequest(filter),
      answer: ListEgressResponse,
      grant: RECORD,
      limitMs: this.config.livekitTimeoutMs,
    };
  }
}

/** Newer servers answer long lists in pages. */
const MOST_PAGES = 1_000;

function nameOf(method: TwirpMethod): string {
  return method.slice(method.indexOf('/') + 1);
}
