import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import type { RecordingId } from '../kernel/ids.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { EgressSeen } from '../livekit/livekit.types.js';
import { isFinal, type StoredRecording } from '../recordings/domain/recording.js';
import { isAbsenceProven } from '../recordings/domain/slot.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { ReconcileRecording } from '../recordings/use-cases/reconcile-recording.js';
import { ApplyLiveKitEvent } from '../recordings/use-cases/apply-livekit-event.js';
import { EndEgress } from '../recordings/use-cases/end-egress.js';
import { Unsettled } from '../recordings/use-cases/unsettled.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { RecordingWriter } from '../recordings/write/recording.writer.js';
import { JobQueue } from '../queue/define-job.js';
import { watchedEgresses } from '../recordings/domain/slot.js';
import { checkRecorder } from '../recordings/jobs/check-recorder.job.js';
import { RecorderLog } from '../recordings/recorders/recorder-log.port.js';
import { Breaker } from './breaker.js';
import { Sweep, type SweepPass } from './sweep.js';

/** Everything that LiveKit lists against everything that is not settled: endings that nobody reported, egresses that nobody owns. */
@Injectable()
export class LiveKitReconciliationSweep extends Sweep {
  readonly name = 'LIVEKIT_RECONCILIATION';
  readonly everyMs: number;

  constructor(
    private readonly config: Config,
    private readonly livekit: LiveKit,
    private readonly unsettled: Unsettled,
    private readonly own: OwnEgresses,
    private readonly store: RecordingStore,
    private readonly writer: RecordingWriter,
    private readonly events: ApplyLiveKitEvent,
    private readonly endEgress: EndEgress,
    private readonly reconcile: ReconcileRecording,
    private readonly recorders: RecorderLog,
    private readonly jobs: JobQueue,
    private readonly breaker: Breaker,
    private readonly clock: Clock,
  ) {
    super();
    this.everyMs = config.sweepEveryMs.livekitReconciliation;
  }

  async pass(pass: SweepPass): Promise<void> {
    // What is looked up after the list was read is at least as new as the list: a start in between is no ghost.
    const at = this.clock.now();
    const [listed, rooms] = await Promise.all([this.livekit.listEgresses(), this.livekit.listRooms()]);
    const withRecorder = new Set(
      rooms.filter(({ activeRecording }) => activeRecording).map(({ name }) => name),
    );
    const byRecording = this.own.byRecording(listed);
    const gone: StoredRecording[] = [];
    let live = 0;
    for await (const recording of this.unsettled.all()) {
      pass.signal.throwIfAborted();
      pass.examined();
      if (!isFinal(recording.status)) live += 1;
      const after = await this.compare(pass, recording, byRecording.get(recording.id) ?? [], at);
      if (after !== null && !isFinal(after.status) && isAbsenceProven(after)) gone.push(after);
      byRecording.delete(recording.id);
      if (after !== null && !pass.dryRun) await this.watch(after, withRecorder.has(after.roomId));
    }
    for (const [id, egresses] of byRecording) await this.lookAtOwnerless(pass, id, egresses);
    await this.endGone(pass, gone, live);
  }

  private async compare(
    pass: SweepPass,
    recording: StoredRecording,
    egresses: readonly EgressSeen[],
    at: number,
  ): Promise<StoredRecording | null> {
    if (isAsListed(recording, egresses)) return recording;
    if (pass.dryRun) return recording;
    const told = await this.writer.tell(recording.id, { kind: 'egresses-listed', egresses, at }, pass.cause);
    if (told?.changed && told.recording.version !== recording.version) {
      await pass.found(
        {
          kind: 'MISSED_REPORT',
          subject: recording.id,
          action: 'take over what LiveKit lists',
          detail: `${recording.status} was ${told.recording.status}`,
        },
        async () => undefined,
      );
    }
    return told?.recording ?? null;
  }

  /** Sees to it that each worker is asked in its time, and remembers that its recorder was seen in the room. */
  private async watch(recording: StoredRecording, recorderShown: boolean): Promise<void> {
    for (const egressId of watchedEgresses(recording)) {
      const { heardAt, presence } = await this.recorders.state(egressId);
      if (recorderShown && presence === 'unknown') await this.recorders.setPresence(egressId, 'seen');
      const overdue = this.clock.now() - (heardAt ?? 0) > 2 * this.config.recorderCheckEveryMs;
      if (overdue) await this.jobs.add(checkRecorder, { recordingId: recording.id });
    }
  }

  /** Egresses that write to an object of ours and whose recording is settled or unknown. */
  private async lookAtOwnerless(
    pass: SweepPass,
    id: RecordingId,
    egresses: readonly EgressSeen[],
  ): Promise<void> {
    const recording = await this.store.get(id);
    for (const egress of egresses) {
      const running = !isFinal(egress.status);
      const known = recording?.upkeep.egresses[egress.egressId];
      if (
        known === 'lost' ||
        (recording !== null && !running && (known === 'over' || !egress.file?.uploaded))
      )
        continue;
      if (recording === null && !running) continue;
      const finding = {
        kind: 'GHOST_EGRESS',
        subject: egress.egressId,
        detail: `recording ${id} in room ${egress.roomName}`,
      };
      if (recording !== null) {
        await pass.found({ ...finding, action: running ? 'stop the egress' : 'show its media' }, () =>
          this.events.seeEgress(egress, pass.cause),
        );
      } else {
        await pass.suspect({ ...finding, action: 'stop the egress' }, async () => {
          await this.endEgress.stop({
            recordingId: id,
            roomName: egress.roomName,
            egressId: egress.egressId,
          });
        });
      }
    }
  }

  private async endGone(pass: SweepPass, gone: readonly StoredRecording[], live: number): Promise<void> {
    const allowed = await this.breaker.allows(
      pass,
      this.name,
      gone.map(({ id }) => id),
      live,
    );
    for (const recording of gone) {
      const finding = {
        kind: 'GONE_EGRESS',
        subject: recording.id,
        action: 'end the recording',
        detail: `LiveKit no longer lists ${recording.egressId}`,
      };
      if (!allowed) pass.failed(finding, new Error('so many at once are held back'));
      else await pass.found(finding, () => this.end(recording, pass.cause));
    }
  }

  private async end(recording: StoredRecording, cause: string): Promise<void> {
    const media = await this.reconcile.findMedia(recording);
    await this.writer.tell(
      recording.id,
      { kind: 'egress-gone', proof: 'absence', media, at: this.clock.now() },
      cause,
    );
  }
}

/** Nothing to tell: what is listed is what we know. */
function isAsListed(recording: StoredRecording, egresses: readonly EgressSeen[]): boolean {
  if (recording.status !== 'ACTIVE' || recording.upkeep.absence !== null || egresses.length !== 1)
    return false;
  const [egress] = egresses;
  return (
    egress?.status === 'ACTIVE' &&
    egress.egressId === recording.egressId &&
    recording.upkeep.egresses[egress.egressId] === 'live'
  );
}
