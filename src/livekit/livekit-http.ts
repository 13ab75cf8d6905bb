import {
  DataPacket_Kind,
  EgressInfo,
  ListEgressRequest,
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
  TokenPagination,
  UpdateStreamRequest,
} from '@livekit/protocol';
import { Injectable, Logger } from '@nestjs/common';
import type { VideoGrant } from 'livekit-server-sdk';
import { Config } from '../config/config.js';
import { newToken } from '../kernel/ids.js';
import { TallyError } from '../kernel/errors.js';
import { type EgressPage, readEgressPage } from './egress-page.js';
import { toLiveRoomSeen, toParticipantSeen } from './livekit.mapping.js';
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
  WorkerKind,
} from './livekit.types.js';
import { requestWebhook, toFleetQuestion, toStartRequest } from './start-request.mapping.js';
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
import { type TwirpAnswer, TwirpConnection, type TwirpRequest } from './twirp.js';

/** Of one list: five thousand egresses, as a busy day leaves them, have some 6 MiB. */
const MOST_LIST_BYTES = 64 * 1024 * 1024;
const MOST_PAGES = 1_000;

const RECORD: VideoGrant = { roomRecord: true };
const LIST: VideoGrant = { roomList: true };
const adminOf = (room: string): VideoGrant => ({ roomAdmin: true, room });

/** LiveKit over its Twirp API. */
@Injectable()
export class HttpLiveKit extends LiveKit {
  private readonly log = new Logger('LiveKit');
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
      mostBytes: MOST_LIST_BYTES,
    });
    return participants.map(toParticipantSeen);
  }

  startEgress(start: StartEgress): Promise<StartOutcome> {
    return this.ask(
      toStartOutcome,
      this.startRequest(toStartRequest(start, requestWebhook(this.config)), start.withinMs),
    );
  }

  stopEgress(egressId: string): Promise<StopOutcome> {
    return this.ask(toStopOutcome, this.stopRequest(egressId));
  }

  async findEgress(egressId: string): Promise<EgressSeen | null> {
    // An empty id is no filter to LiveKit: it would list everything.
    if (egressId === '') return null;
    const list = await this.ask(orNotFound<EgressPage>, this.egressList({ egressId }));
    return list?.egresses.find((egress) => egress.egressId === egressId) ?? null;
  }

  async listEgresses(filter: { roomName?: string; active?: boolean } = {}): Promise<EgressSeen[]> {
    const egresses: EgressSeen[] = [];
    let token = '';
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const read = await this.ask(orThrow<EgressPage>, this.egressList(filter, token));
      egresses.push(...read.egresses);
      if (read.nextToken === '' || read.nextToken === token) return egresses;
      token = read.nextToken;
    }
    // A part of a list would be taken for the whole, and what is missing in it for gone.
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

  async askFleet(roomName: string, kind: WorkerKind): Promise<FleetAnswer> {
    const request = this.startRequest(toFleetQuestion(roomName, kind));
    const answer = await this.server.ask(request);
    if (answer.kind === 'ok') await this.stopUnmeant(answer.message.egressId);
    return toFleetAnswer(answer, askedBy(request));
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

  private async roomsNamed(names: string[]): Promise<LiveRoomSeen[]> {
    const { rooms } = await this.ask(orThrow<ListRoomsResponse>, {
      method: 'RoomService/ListRooms',
      message: new ListRoomsRequest({ names }),
      answer: ListRoomsResponse,
      grant: LIST,
      limitMs: this.config.livekitTimeoutMs,
      mostBytes: MOST_LIST_BYTES,
    });
    return rooms.map(toLiveRoomSeen);
  }

  private async ask<T, R>(
    understand: (answer: TwirpAnswer<T>, asked: Asked) => R,
    request: TwirpRequest<T>,
  ): Promise<R> {
    return understand(await this.server.ask(request), askedBy(request));
  }

  /** A worker with storage of its own may take a start without an output for one. */
  private async stopUnmeant(egressId: string): Promise<void> {
    const message = 'an egress worker took a question for a start: what it began is stopped';
    this.log.error({ event: 'question_started_egress', message, egressId });
    await this.stopEgress(egressId);
  }

  private startRequest(message: RoomCompositeEgressRequest, withinMs = Infinity): TwirpRequest<EgressInfo> {
    return {
      method: 'Egress/StartRoomCompositeEgress',
      message,
      answer: EgressInfo,
      grant: RECORD,
      limitMs: Math.min(this.config.livekitStartTimeoutMs, withinMs),
      // A proxy that gives up, or a process of ours that dies, must leave no start behind that is carried out later.
      tellLimit: true,
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

  private egressList(
    filter: { egressId?: string; roomName?: string; active?: boolean },
    token = '',
  ): TwirpRequest<EgressPage> {
    const pageToken = token === '' ? {} : { pageToken: new TokenPagination({ token }) };
    return {
      method: 'Egress/ListEgress',
      message: new ListEgressRequest({ ...filter, ...pageToken }),
      answer: { fromJsonString: readEgressPage },
      grant: RECORD,
      limitMs: this.config.livekitTimeoutMs,
      mostBytes: MOST_LIST_BYTES,
    };
  }
}

function askedBy({ method, limitMs }: TwirpRequest<unknown>): Asked {
  return { name: method.slice(method.indexOf('/') + 1), limitMs };
}
