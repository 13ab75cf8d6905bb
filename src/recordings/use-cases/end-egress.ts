import { Injectable, Logger } from '@nestjs/common';
import type { RecordingId } from '../../kernel/ids.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import type { EgressState } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';
import { ReconcileRecording } from './reconcile-recording.js';

/** What an egress is given to end by itself before it is asked again. */
const ASK_AGAIN_MS = 3_000;

export interface EgressToEnd {
  readonly recordingId: RecordingId;
  readonly roomName: string;
  readonly egressId: string;
  /** Why, in words for the log: what is ended here can't be started again. */
  readonly reason: string;
  /** LiveKit lists it as running, whatever its row takes it for. */
  readonly listed?: boolean;
}

/** Ends an egress that has no right to run on, with the stop that needs its worker and the one that needs none. */
@Injectable()
export class EndEgress {
  private readonly log = new Logger('Recordings');

  constructor(
    private readonly store: RecordingStore,
    private readonly reconcile: ReconcileRecording,
    private readonly livekit: LiveKit,
  ) {}

  /** How long until it has to be asked again, in ms; null: it is over, or ends. Throws LIVEKIT_UNAVAILABLE. */
  async stop(ending: EgressToEnd): Promise<number | null> {
    const { recordingId, roomName, egressId } = ending;
    const known = await this.state(recordingId, egressId);
    if (known === 'lost' || (known === 'over' && !ending.listed)) return null;
    this.report('egress_stop', 'an egress is stopped', ending);
    const outcome = await this.livekit.stopEgress(egressId);
    switch (outcome.kind) {
      case 'stopping':
        await this.observe(recordingId, outcome.egress);
        return null;
      case 'not-stoppable':
        await this.look(recordingId, egressId);
        return null;
      case 'not-known':
        await this.look(recordingId, egressId);
        // One that LiveKit has forgotten may record on, and hears of no stop: its recorder is removed like one whose worker is silent.
        if ((await this.state(recordingId, egressId)) === 'live')
          await this.livekit.removeRecorder(roomName, egressId);
        return null;
      case 'no-answer-from-worker':
        // Its worker is dead or busy: a recorder that is removed from its room ends either way.
        await this.livekit.removeRecorder(roomName, egressId);
        return ASK_AGAIN_MS;
    }
  }

  /**
   * After a stop whose outcome was left open, and after a worker's death: a recorder that is still there is removed from
   * the room, which ends any egress, and sends a child away that outlived its worker.
   */
  async removeRecorder(ending: EgressToEnd): Promise<void> {
    const { recordingId, roomName, egressId } = ending;
    if ((await this.state(recordingId, egressId)) === 'over') return;
    await this.look(recordingId, egressId);
    if ((await this.state(recordingId, egressId)) === 'over') return;
    this.report('recorder_removal', 'a recorder is removed from its room', ending);
    await this.livekit.removeRecorder(roomName, egressId);
  }

  private async state(recordingId: RecordingId, egressId: string): Promise<EgressState | undefined> {
    return (await this.store.get(recordingId))?.upkeep.egresses[egressId];
  }

  private async look(recordingId: RecordingId, egressId: string): Promise<void> {
    const egress = await this.livekit.findEgress(egressId);
    if (egress !== null) await this.observe(recordingId, egress);
  }

  private async observe(recordingId: RecordingId, egress: EgressSeen): Promise<void> {
    await this.reconcile.observe(recordingId, egress, 'livekit');
  }

  private report(
    event: string,
    message: string,
    { recordingId, roomName, egressId, reason }: EgressToEnd,
  ): void {
    this.log.log({ event, message, recordingId, roomId: roomName, egressId, reason });
  }
}
