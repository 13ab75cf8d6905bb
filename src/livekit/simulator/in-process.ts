import {
  DataPacket_Kind,
  EgressInfo,
  ListEgressRequest,
  ListEgressResponse,
  ListParticipantsRequest,
  ListRoomsRequest,
  RoomCompositeEgressRequest,
  RoomParticipantIdentity,
  SendDataRequest,
  StopEgressRequest,
  TokenPagination,
  UpdateStreamRequest,
} from '@livekit/protocol';
import { toEgressSeen, toLiveRoomSeen, toParticipantSeen } from '../livekit.mapping.js';
import { LiveKit } from '../livekit.port.js';
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
} from '../livekit.types.js';
import { toFleetQuestion, toStartRequest } from '../start-request.mapping.js';
import {
  orNotFound,
  orThrow,
  toEndingWorkerAnswer,
  toFleetAnswer,
  toStartOutcome,
  toStopOutcome,
  toWorkerAnswer,
} from '../twirp-answers.mapping.js';
import type { TwirpAnswer } from '../twirp.js';
import type { SimulatorEngine } from './engine.js';
import {
  type Answer,
  LIST_EGRESS,
  LIST_PARTICIPANTS,
  LIST_ROOMS,
  REMOVE_PARTICIPANT,
  SEND_DATA,
  START_ROOM_COMPOSITE,
  STOP_EGRESS,
  type TwirpMethod,
  UPDATE_STREAM,
} from './twirp-methods.js';
import { ConnectionCut, TextRefusal, TwirpRefusal } from './twirp-refusal.js';

/** How long a caller waits for an answer, ms, as the client on the wire is configured. */
export interface RequestLimits {
  readonly startMs: number;
  readonly stopMs: number;
  readonly otherMs: number;
}

export const USUAL_LIMITS: RequestLimits = { startMs: 35_000, stopMs: 20_000, otherMs: 10_000 };

/** The engine as the port, without a wire: the same waits, faults and limits of time, on the engine's clock. */
export class InProcessLiveKit extends LiveKit {
  constructor(
    private readonly engine: SimulatorEngine,
    private readonly limits: RequestLimits = USUAL_LIMITS,
  ) {
    super();
  }

  async findRoom(name: string): Promise<LiveRoomSeen | null> {
    const [room] = await this.roomsNamed([name]);
    return room ?? null;
  }

  listRooms(): Promise<LiveRoomSeen[]> {
    return this.roomsNamed([]);
  }

  async listParticipants(roomName: string): Promise<ParticipantSeen[]> {
    const request = new ListParticipantsRequest({ room: roomName });
    const { participants } = await this.ask(LIST_PARTICIPANTS, request, orThrow);
    return participants.map(toParticipantSeen);
  }

  startEgress(start: StartEgress): Promise<StartOutcome> {
    const limitMs = Math.min(this.limits.startMs, start.withinMs ?? Infinity);
    return this.ask(START_ROOM_COMPOSITE, toStartRequest(start, null), toStartOutcome, limitMs);
  }

  stopEgress(egressId: string): Promise<StopOutcome> {
    return this.ask(STOP_EGRESS, new StopEgressRequest({ egressId }), toStopOutcome, this.limits.stopMs);
  }

  async findEgress(egressId: string): Promise<EgressSeen | null> {
    if (egressId === '') return null;
    const found = await this.ask(
      LIST_EGRESS,
      new ListEgressRequest({ egressId }),
      orNotFound<ListEgressResponse>,
    );
    return found?.items[0] ? toEgressSeen(found.items[0]) : null;
  }

  async listEgresses(filter: { roomName?: string; active?: boolean } = {}): Promise<EgressSeen[]> {
    const listed: EgressSeen[] = [];
    let pageToken: TokenPagination | undefined;
    do {
      const request = new ListEgressRequest({ ...filter, pageToken });
      const page: ListEgressResponse = await this.ask(LIST_EGRESS, request, orThrow);
      listed.push(...page.items.map(toEgressSeen));
      pageToken = page.nextPageToken;
    } while (pageToken);
    return listed;
  }

  askWorker(egressId: string): Promise<WorkerAnswer> {
    return this.ask(UPDATE_STREAM, new UpdateStreamRequest({ egressId }), toWorkerAnswer, this.limits.stopMs);
  }

  askEndingWorker(egressId: string): Promise<WorkerAnswer> {
    const request = new StopEgressRequest({ egressId });
    return this.ask(STOP_EGRESS, request, toEndingWorkerAnswer, this.limits.stopMs);
  }

  askFleet(roomName: string, kind: WorkerKind): Promise<FleetAnswer> {
    const request = toFleetQuestion(roomName, kind);
    return this.ask<RoomCompositeEgressRequest, EgressInfo, FleetAnswer>(
      START_ROOM_COMPOSITE,
      request,
      toFleetAnswer,
      this.limits.startMs,
    );
  }

  async removeRecorder(roomName: string, egressId: string): Promise<boolean> {
    const request = new RoomParticipantIdentity({ room: roomName, identity: egressId });
    return (await this.ask(REMOVE_PARTICIPANT, request, orNotFound)) !== null;
  }

  async sendData(
    roomName: string,
    topic: string,
    payload: Uint8Array,
    to?: readonly string[],
  ): Promise<void> {
    // To LiveKit no names at all mean everybody.
    if (to?.length === 0) return;
    const request = new SendDataRequest({
      room: roomName,
      topic,
      data: new Uint8Array(payload),
      kind: DataPacket_Kind.RELIABLE,
      destinationIdentities: [...(to ?? [])],
    });
    await this.ask(SEND_DATA, request, orThrow);
  }

  async checkAccess(): Promise<void> {
    await Promise.all([this.roomsNamed(['']), this.findEgress('EG_nobody')]);
  }

  private async roomsNamed(names: string[]): Promise<LiveRoomSeen[]> {
    const { rooms } = await this.ask(LIST_ROOMS, new ListRoomsRequest({ names }), orThrow);
    return rooms.map(toLiveRoomSeen);
  }

  private async ask<Q, A extends Answer, R>(
    method: TwirpMethod<Q, A>,
    request: Q,
    understand: (answer: TwirpAnswer<A>, asked: { name: string; limitMs: number }) => R,
    limitMs = this.limits.otherMs,
  ): Promise<R> {
    const patience = new AbortController();
    const tooLate = this.engine.clock
      .sleep(limitMs, patience.signal)
      .then((): TwirpAnswer<A> => ({ kind: 'silence', timedOut: true, reason: 'TimeoutError' }));
    // Cancelled as soon as the answer is there; nobody waits for it then.
    tooLate.catch(() => undefined);
    const answer = await Promise.race([this.perform(method, request, limitMs), tooLate]);
    patience.abort();
    return understand(answer, { name: method.path.split('/')[1] ?? method.path, limitMs });
  }

  private async perform<Q, A extends Answer>(
    method: TwirpMethod<Q, A>,
    request: Q,
    limitMs: number,
  ): Promise<TwirpAnswer<A>> {
    try {
      return { kind: 'ok', message: await this.engine.perform(method.call(request), '', limitMs) };
    } catch (error) {
      if (error instanceof ConnectionCut) return { kind: 'silence', timedOut: false, reason: 'ECONNRESET' };
      if (error instanceof TextRefusal) return { kind: 'error', status: error.status, code: null, msg: null };
      if (!(error instanceof TwirpRefusal)) throw error;
      const { status, code, message } = error;
      return { kind: 'error', status, code, msg: message };
    }
  }
}
