import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { LiveKit } from '../livekit/livekit.port.js';
import { type Evidence, known, type RoomEvidence } from '../recordings/domain/evidence.js';
import { isOver, type StoredRecording } from '../recordings/domain/recording.js';
import { ReconcileRecording } from '../recordings/use-cases/reconcile-recording.js';
import { Unsettled } from '../recordings/use-cases/unsettled.js';
import { Breaker } from './breaker.js';
import { type Finding, Sweep, type SweepPass } from './sweep.js';

/**
 * Recordings in progress that have neither reported nor answered for long, and whose room is gone or has no publisher.
 * An answer of the worker counts as having spoken, so that a coffee break ends nothing.
 */
@Injectable()
export class StaleRecordingsSweep extends Sweep {
  readonly name = 'STALE_RECORDINGS';
  readonly everyMs: number;

  constructor(
    config: Config,
    private readonly livekit: LiveKit,
    private readonly unsettled: Unsettled,
    private readonly reconcile: ReconcileRecording,
    private readonly breaker: Breaker,
  ) {
    super();
    this.everyMs = config.sweepEveryMs.staleRecordings;
  }

  async pass(pass: SweepPass): Promise<void> {
    const rooms = new Map((await this.livekit.listRooms()).map((room) => [room.name, room]));
    const stale: Suspect[] = [];
    let live = 0;
    for await (const recording of this.unsettled.all()) {
      pass.signal.throwIfAborted();
      if (isOver(recording)) continue;
      pass.examined();
      live += 1;
      const room = rooms.get(recording.roomId);
      const seen = {
        room: known<RoomEvidence>(room === undefined ? { open: false } : { open: true, ...room }),
      };
      if (await this.reconcile.isHeldEnd('STALE_RECORDING', recording, seen)) stale.push({ recording, seen });
    }
    const again = stale.filter(({ recording }) => pass.isSeenAgain(toFinding(recording)));
    const allowed = await this.breaker.allows(
      pass,
      this.name,
      again.map(({ recording }) => recording.id),
      live,
    );
    for (const suspect of stale) {
      await pass.suspect(toFinding(suspect.recording), () =>
        allowed ? this.end(suspect, pass.cause) : Promise.reject(new Error('so many at once are held back')),
      );
    }
  }

  private async end({ recording, seen }: Suspect, cause: string): Promise<void> {
    if (await this.reconcile.carryOut(recording.id, 'STALE_RECORDING', seen, cause)) return;
    throw new Error('more evidence speaks against it: it has reported or answered in between');
  }
}

/** With the room as this pass saw it. */
interface Suspect {
  readonly recording: StoredRecording;
  readonly seen: Pick<Evidence, 'room'>;
}

function toFinding({ id, roomId, egressId }: StoredRecording): Finding {
  return {
    kind: 'STALE_RECORDING',
    subject: id,
    action: 'end the recording',
    detail: `${egressId} in room ${roomId} has long neither reported nor answered`,
  };
}
