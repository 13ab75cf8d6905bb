import {
  CreateRoomRequest,
  DeleteRoomRequest,
  DeleteRoomResponse,
  EgressInfo,
  ListEgressRequest,
  ListEgressResponse,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  ParticipantInfo,
  RemoveParticipantResponse,
  Room,
  RoomCompositeEgressRequest,
  RoomParticipantIdentity,
  SendDataRequest,
  SendDataResponse,
  StartEgressRequest,
  StopEgressRequest,
  UpdateLayoutRequest,
  UpdateRoomMetadataRequest,
  UpdateStreamRequest,
} from '@livekit/protocol';
import type { EgressDesk } from './egress-desk.js';
import { orderOfRoomComposite, orderOfStartEgress } from './egress-order.js';
import type { RoomDesk } from './room-desk.js';
import { overBus } from './twirp-refusal.js';

export interface Desks {
  readonly egress: EgressDesk;
  readonly rooms: RoomDesk;
}

/** What a token must allow; `roomAdmin` for the room that is asked about. */
export type Grant = 'roomRecord' | 'roomList' | 'roomCreate' | 'roomAdmin';

/** What JSON.parse gives. */
export type Json = Parameters<typeof EgressInfo.fromJson>[0];

/** A message of the protocol, as far as a door needs it. */
export interface Answer {
  toJson(options?: { emitDefaultValues?: boolean; useProtoFieldName?: boolean }): Json;
}

/** One request, understood. `A` is its answer. */
export interface Call<A extends Answer> {
  readonly grant: Grant;
  /** The room that it is about, as far as its faults and grants go; null: none, or more than one. */
  room(desks: Desks): string | null;
  /** `withinMs`: what its caller told that it waits. */
  answer(desks: Desks, withinMs?: number): A | Promise<A>;
}

interface Shape<Q, A extends Answer> {
  readonly path: string;
  readonly grant: Grant;
  readonly request: { fromJson(json: Json, options: { ignoreUnknownFields: boolean }): Q };
  room(request: Q, desks: Desks): string | null;
  answer(request: Q, desks: Desks, withinMs?: number): A | Promise<A>;
}

/** A method of LiveKit's Twirp services. */
export class TwirpMethod<Q, A extends Answer> {
  constructor(private readonly shape: Shape<Q, A>) {}

  get path(): string {
    return this.shape.path;
  }

  call(request: Q): Call<A> {
    const { grant } = this.shape;
    return {
      grant,
      room: (desks) => this.shape.room(request, desks),
      answer: (desks, withinMs) => this.shape.answer(request, desks, withinMs),
    };
  }

  /** Both spellings of names are understood, unknown ones ignored. Throws for what is no such request. */
  parse(json: Json): Call<A> {
    return this.call(this.shape.request.fromJson(json, { ignoreUnknownFields: true }));
  }
}

const ofEgress = ({ egressId }: { egressId: string }, { egress }: Desks): string | null =>
  egress.roomOf(egressId);
const ofRoom = ({ room }: { room: string }): string => room;

export const START_ROOM_COMPOSITE = new TwirpMethod({
  path: 'livekit.Egress/StartRoomCompositeEgress',
  grant: 'roomRecord',
  request: RoomCompositeEgressRequest,
  room: ({ roomName }: RoomCompositeEgressRequest) => roomName,
  answer: (request, { egress }, withinMs): Promise<EgressInfo> =>
    egress.start(orderOfRoomComposite(request), withinMs),
});
const START_EGRESS = new TwirpMethod({
  path: 'livekit.Egress/StartEgress',
  grant: 'roomRecord',
  request: StartEgressRequest,
  room: ({ roomName }: StartEgressRequest) => roomName,
  answer: (request, { egress }, withinMs): Promise<EgressInfo> =>
    egress.start(orderOfStartEgress(request), withinMs),
});
export const LIST_EGRESS = new TwirpMethod({
  path: 'livekit.Egress/ListEgress',
  grant: 'roomRecord',
  request: ListEgressRequest,
  room: (request: ListEgressRequest, { egress }) =>
    request.egressId ? egress.roomOf(request.egressId) : request.roomName || null,
  answer: (request, { egress }): ListEgressResponse => egress.list(request),
});
export const STOP_EGRESS = new TwirpMethod({
  path: 'livekit.Egress/StopEgress',
  grant: 'roomRecord',
  request: StopEgressRequest,
  room: ofEgress,
  answer: (request: StopEgressRequest, { egress }): Promise<EgressInfo> => egress.stop(request),
});
export const UPDATE_STREAM = new TwirpMethod({
  path: 'livekit.Egress/UpdateStream',
  grant: 'roomRecord',
  request: UpdateStreamRequest,
  room: ofEgress,
  answer: (request: UpdateStreamRequest, { egress }): Promise<EgressInfo> => egress.updateStream(request),
});
const UPDATE_LAYOUT = new TwirpMethod({
  path: 'livekit.Egress/UpdateLayout',
  grant: 'roomRecord',
  request: UpdateLayoutRequest,
  room: ofEgress,
  answer: (request: UpdateLayoutRequest, { egress }): EgressInfo => egress.updateLayout(request),
});
const CREATE_ROOM = new TwirpMethod({
  path: 'livekit.RoomService/CreateRoom',
  grant: 'roomCreate',
  request: CreateRoomRequest,
  room: ({ name }: CreateRoomRequest) => name,
  answer: (request, { rooms }): Room => rooms.create(request),
});
export const LIST_ROOMS = new TwirpMethod({
  path: 'livekit.RoomService/ListRooms',
  grant: 'roomList',
  request: ListRoomsRequest,
  room: ({ names }: ListRoomsRequest) => (names.length === 1 ? (names[0] ?? null) : null),
  answer: (request, { rooms }): ListRoomsResponse => rooms.list(request),
});
const DELETE_ROOM = new TwirpMethod({
  path: 'livekit.RoomService/DeleteRoom',
  grant: 'roomCreate',
  request: DeleteRoomRequest,
  room: ofRoom,
  answer: async (request: DeleteRoomRequest, { rooms }): Promise<DeleteRoomResponse> => {
    await rooms.delete(request);
    return new DeleteRoomResponse();
  },
});
export const LIST_PARTICIPANTS = new TwirpMethod({
  path: 'livekit.RoomService/ListParticipants',
  grant: 'roomAdmin',
  request: ListParticipantsRequest,
  room: ofRoom,
  answer: (request: ListParticipantsRequest, { rooms }): ListParticipantsResponse =>
    rooms.listParticipants(request),
});
const GET_PARTICIPANT = new TwirpMethod({
  path: 'livekit.RoomService/GetParticipant',
  grant: 'roomAdmin',
  request: RoomParticipantIdentity,
  room: ofRoom,
  answer: (request: RoomParticipantIdentity, { rooms }): ParticipantInfo => rooms.getParticipant(request),
});
export const REMOVE_PARTICIPANT = new TwirpMethod({
  path: 'livekit.RoomService/RemoveParticipant',
  grant: 'roomAdmin',
  request: RoomParticipantIdentity,
  room: ofRoom,
  answer: async (request: RoomParticipantIdentity, { rooms }): Promise<RemoveParticipantResponse> => {
    await rooms.removeParticipant(request);
    return new RemoveParticipantResponse();
  },
});
const UPDATE_ROOM_METADATA = new TwirpMethod({
  path: 'livekit.RoomService/UpdateRoomMetadata',
  grant: 'roomAdmin',
  request: UpdateRoomMetadataRequest,
  room: ofRoom,
  answer: (request: UpdateRoomMetadataRequest, { rooms }): Room => rooms.updateMetadata(request),
});
export const SEND_DATA = new TwirpMethod({
  path: 'livekit.RoomService/SendData',
  grant: 'roomAdmin',
  request: SendDataRequest,
  room: ofRoom,
  answer: async (request: SendDataRequest, { rooms }): Promise<SendDataResponse> => {
    await rooms.sendData(request);
    return new SendDataResponse();
  },
});

/** Known to LiveKit, and of no use to a control plane that records rooms. */
const REFUSED = [
  'StartWebEgress',
  'StartParticipantEgress',
  'StartTrackCompositeEgress',
  'StartTrackEgress',
].map(
  (name) =>
    new TwirpMethod({
      path: `livekit.Egress/${name}`,
      grant: 'roomRecord',
      request: StartEgressRequest,
      room: ({ roomName }: StartEgressRequest) => roomName,
      answer: (): EgressInfo => {
        throw overBus(
          'unimplemented',
          'this simulator records rooms, no web pages and no single participants',
        );
      },
    }),
);

export interface WireMethod {
  readonly path: string;
  parse(json: Json): Call<Answer>;
}

/** Every method of the wire, by its path behind `/twirp/`. */
export const TWIRP_METHODS: ReadonlyMap<string, WireMethod> = new Map(
  [
    START_ROOM_COMPOSITE,
    START_EGRESS,
    LIST_EGRESS,
    STOP_EGRESS,
    UPDATE_STREAM,
    UPDATE_LAYOUT,
    CREATE_ROOM,
    LIST_ROOMS,
    DELETE_ROOM,
    LIST_PARTICIPANTS,
    GET_PARTICIPANT,
    REMOVE_PARTICIPANT,
    UPDATE_ROOM_METADATA,
    SEND_DATA,
    ...REFUSED,
  ].map((method: WireMethod): [string, WireMethod] => [method.path, method]),
);
