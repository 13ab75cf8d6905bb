import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { RecordingStore } from '../store/recording.store.js';
import { RecordingWriter } from '../write/recording.writer.js';

/** What an egress is given to end by itself before it is asked again. */
const ASK_AGAIN_MS = 3_000;

export interface EgressToEnd {
  readonly recordingId: RecordingId;
  readonly roomName: string;
  readonly egressId: string;
}

/** Ends an egress that has no right to run on, with the stop that needs its worker and the one that needs none. */
@Injectable()
export class EndEgress {
  constructor(
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly livekit: LiveKit,
    private readonly clock: Clock,
  ) {}

  /** How long until it has to be asked again, in ms; null: it is over, or ends. Throws LIVEKIT_UNAVAILABLE. */
  async stop({ recordingId, roomName, egressId }: EgressToEnd): Promise<number | null> {
    if (await this.isSettled(recordingId, egressId)) return null;
    const outcome = await this.livekit.stopEgress(egressId);
    switch (outcome.kind) {
      case 'stopping':
        await this.tell(recordingId, outcome.egress);
        return null;
      case 'not-stoppable':
      case 'not-known':
        await this.look(recordingId, egressId);
        return null;
      case 'no-answer-from-worker':
        // Its worker is dead or busy: a recorder that is removed from its room ends either way.
        await this.livekit.removeRecorder(roomName, egressId);
        return ASK_AGAIN_MS;
    }
  }

  /** After a stop whose outcome was left open: a recorder that is still there is removed from the room, which ends any egress. */
  async removeRecorder({ recordingId, roomName, egressId }: EgressToEnd): Promise<void> {
    if (await this.isSettled(recordingId, egressId)) return;
    await this.look(recordingId, egressId);
    if (await this.isSettled(recordingId, egressId)) return;
    await this.livekit.removeRecorder(roomName, egressId);
  }

  private async isSettled(recordingId: RecordingId, egressId: string): Promise<boolean> {
    const state = (await this.store.get(recordingId))?.upkeep.egresses[egressId];
    return state === 'over' || state === 'lost';
  }

  private async look(recordingId: RecordingId, egressId: string): Promise<void> {
    const egress = await this.livekit.findEgress(egressId);
    if (egress !== null) await this.tell(recordingId, egress);
  }

  private async tell(recordingId: RecordingId, egress: EgressSeen): Promise<void> {
    await this.writer.tell(recordingId, { kind: 'egress-seen', egress, at: this.clock.now() }, 'livekit');
  }
}
