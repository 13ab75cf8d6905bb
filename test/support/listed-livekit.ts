import { LiveKit } from '../../src/livekit/livekit.port.js';
import type { EgressSeen, LiveRoomSeen } from '../../src/livekit/livekit.types.js';

/** A LiveKit that lists what the test says and is never asked for anything else. */
export class ListedLiveKit extends LiveKit {
  egresses: EgressSeen[] = [];

  async listEgresses(): Promise<EgressSeen[]> {
    return this.egresses;
  }
  async findEgress(egressId: string): Promise<EgressSeen | null> {
    return this.egresses.find((egress) => egress.egressId === egressId) ?? null;
  }
  async listRooms(): Promise<LiveRoomSeen[]> {
    return [];
  }

  findRoom = unasked;
  listParticipants = unasked;
  startEgress = unasked;
  stopEgress = unasked;
  askWorker = unasked;
  askEndingWorker = unasked;
  askFleet = unasked;
  removeRecorder = unasked;
  sendData = unasked;
  checkAccess = unasked;
}

function unasked(): Promise<never> {
  return Promise.reject(new Error('nothing of that kind is asked here'));
}
