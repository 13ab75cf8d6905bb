import { LiveKit } from '../../src/livekit/livekit.port.js';
import type { EgressSeen, LiveRoomSeen, WorkerAnswer } from '../../src/livekit/livekit.types.js';

/** A LiveKit that lists what the test says, whose workers answer for what it says, and that is never asked for anything else. */
export class ListedLiveKit extends LiveKit {
  egresses: EgressSeen[] = [];
  /** Egresses whose worker lives. */
  answering: ReadonlySet<string> = new Set();

  async listEgresses(): Promise<EgressSeen[]> {
    return this.egresses;
  }
  async findEgress(egressId: string): Promise<EgressSeen | null> {
    return this.egresses.find((egress) => egress.egressId === egressId) ?? null;
  }
  async listRooms(): Promise<LiveRoomSeen[]> {
    return [];
  }

  askWorker(egressId: string): Promise<WorkerAnswer> {
    return Promise.resolve(this.answering.has(egressId) ? 'alive' : 'silent');
  }
  askEndingWorker(egressId: string): Promise<WorkerAnswer> {
    return this.askWorker(egressId);
  }

  findRoom = unasked;
  listParticipants = unasked;
  startEgress = unasked;
  stopEgress = unasked;
  askFleet = unasked;
  removeRecorder = unasked;
  sendData = unasked;
  checkAccess = unasked;
}

function unasked(): Promise<never> {
  return Promise.reject(new Error('nothing of that kind is asked here'));
}
