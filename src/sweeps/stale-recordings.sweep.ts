import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { LiveRoomSeen } from '../livekit/livekit.types.js';
import { isFinal, type StoredRecording } from '../recordings/domain/recording.js';
import { RecorderLog } from '../recordings/recorders/recorder-log.port.js';
import { ReconcileRecording } from '../recordings/use-cases/reconcile-recording.js';
import { Unsettled } from '../recordings/use-cases/unsettled.js';
import { RecordingWriter } from '../recordings/write/recording.writer.js';
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
    private readonly config: Config,
    private readonly livekit: LiveKit,
    private readonly unsettled: Unsettled,
    private readonly recorders: RecorderLog,
    private readonly reconcile: ReconcileRecording,
    private readonly writer: RecordingWriter,
    private readonly breaker: Breaker,
    private readonly clock: Clock,
  ) {
    super();
    this.everyMs = config.sweepEveryMs.staleRecordings;
  }

  async pass(pass: SweepPass): Promise<void> {
    const rooms = new Map((await this.livekit.listRooms()).map((room) => [room.name, room]));
    const stale: StoredRecording[] = [];
    let live = 0;
    for await (const recording of this.unsettled.all()) {
      pass.signal.throwIfAborted();
      if (isFinal(recording.status)) continue;
      pass.examined();
      live += 1;
      if (isDeserted(rooms.get(recording.roomId)) && (await this.isSilent(recording))) stale.push(recording);
    }
    const again = stale.filter((recording) => pass.isSeenAgain(toFinding(recording)));
    const allowed = await this.breaker.allows(
      pass,
      this.name,
      again.map(({ id }) => id),
      live,
    );
    for (const recording of stale) {
      const finding = toFinding(recording);
      await pass.suspect(finding, () =>
        allowed
          ? this.end(recording, pass.cause)
          : Promise.reject(new Error('so many at once are held back')),
      );
    }
  }

  private async isSilent({ egressId, updatedAt }: StoredRecording): Promise<boolean> {
    const heardAt = egressId === null ? null : (await this.recorders.state(egressId)).heardAt;
    return this.clock.now() - Math.max(updatedAt, heardAt ?? 0) > this.config.staleAfterMs;
  }

  private async end(recording: StoredRecording, cause: string): Promise<void> {
    const media = await this.reconcile.findMedia(recording);
    await this.writer.apply(
      recording.id,
      { kind: 'egress-gone', proof: 'silence', media, at: this.clock.now() },
      cause,
    );
  }
}

function isDeserted(room: LiveRoomSeen | undefined): boolean {
  return room === undefined || room.numPublishers === 0;
}

function toFinding({ id, roomId, egressId }: StoredRecording): Finding {
  return {
    kind: 'STALE_RECORDING',
    subject: id,
    action: 'end the recording',
    detail: `${egressId} in room ${roomId} has long neither reported nor answered`,
  };
}
