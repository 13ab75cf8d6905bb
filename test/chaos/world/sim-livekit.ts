import { LiveKit } from '../../../src/livekit/livekit.port.js';
import type { StartEgress, WorkerKind } from '../../../src/livekit/livekit.types.js';
import type { Incarnation } from './incarnation.js';

/** What is true of LiveKit beyond its simulator, and who listens. */
export interface LiveKitSurroundings {
  readonly listsLookEmpty: boolean;
  /** The worker answered that it lives. */
  hear(egressId: string): void;
  /** It is another deployment's. */
  isStranger(egressId: string): boolean;
  readonly problems: string[];
  /** LiveKit is asked to end an egress. */
  onStop(egressId: string): void;
  /** LiveKit is asked to start an egress of ours. */
  onStart(request: StartEgress): void;
}

/** LiveKit as one instance reaches it. */
export class SimLiveKit extends LiveKit {
  constructor(
    private readonly door: LiveKit,
    private readonly of: Incarnation,
    private readonly around: LiveKitSurroundings,
  ) {
    super();
  }

  findRoom(name: string) {
    return this.of.pass('findRoom', () => this.door.findRoom(name));
  }

  listRooms() {
    return this.of.pass('listRooms', () => this.door.listRooms());
  }

  listParticipants(roomName: string) {
    return this.of.pass('listParticipants', () => this.door.listParticipants(roomName));
  }

  startEgress(request: StartEgress) {
    return this.of.pass(`startEgress ${request.roomName}`, () => {
      this.around.onStart(request);
      return this.door.startEgress(request);
    });
  }

  stopEgress(egressId: string) {
    return this.of.pass(`stopEgress ${egressId.slice(-4)}`, () => {
      this.leaveAlone(egressId, 'stopped');
      this.around.onStop(egressId);
      return this.door.stopEgress(egressId);
    });
  }

  findEgress(egressId: string) {
    return this.of.pass(`findEgress ${egressId.slice(-4)}`, () => this.door.findEgress(egressId));
  }

  listEgresses(filter?: { roomName?: string; active?: boolean }) {
    return this.of.pass('listEgresses', async () => {
      const listed = await this.door.listEgresses(filter);
      return this.around.listsLookEmpty ? [] : listed;
    });
  }

  askWorker(egressId: string) {
    return this.asked(egressId, 'askWorker', () => this.door.askWorker(egressId));
  }

  askEndingWorker(egressId: string) {
    return this.asked(egressId, 'askEndingWorker', () => {
      this.leaveAlone(egressId, 'stopped, if only as a question');
      return this.door.askEndingWorker(egressId);
    });
  }

  askFleet(roomName: string, kind: WorkerKind) {
    return this.of.pass('askFleet', () => this.door.askFleet(roomName, kind));
  }

  removeRecorder(roomName: string, egressId: string) {
    return this.of.pass(`removeRecorder ${egressId.slice(-4)}`, () => {
      this.leaveAlone(egressId, 'put out of its room');
      return this.door.removeRecorder(roomName, egressId);
    });
  }

  sendData(roomName: string, topic: string, payload: Uint8Array, to?: readonly string[]) {
    return this.of.pass('sendData', () => this.door.sendData(roomName, topic, payload, to));
  }

  checkAccess() {
    return this.of.pass('checkAccess', () => this.door.checkAccess());
  }

  /** I15: nothing of another deployment is touched. */
  private leaveAlone(egressId: string, how: string): void {
    if (this.around.isStranger(egressId))
      this.around.problems.push(`I15: ${egressId} of another deployment is ${how}`);
  }

  private asked<T>(egressId: string, what: string, question: () => Promise<T>): Promise<T> {
    return this.of.pass(`${what} ${egressId.slice(-4)}`, async () => {
      const answer = await question();
      if (answer === 'alive') this.around.hear(egressId);
      return answer;
    });
  }
}
