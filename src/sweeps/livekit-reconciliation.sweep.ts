import { Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import type { RecordingId } from '../kernel/ids.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { EgressSeen } from '../livekit/livekit.types.js';
import { isFinal, type StoredRecording } from '../recordings/domain/recording.js';
import { awaitsContinuation } from '../recordings/domain/continuation.js';
import { durationLimitOf, startDeadlineOf } from '../recordings/domain/deadlines.js';
import { isAbsenceProven, liveEgresses, nextLookMs, watchedEgresses } from '../recordings/domain/slot.js';
import { continueRecording } from '../recordings/jobs/continue-recording.job.js';
import { endAtLimit } from '../recordings/jobs/end-at-limit.job.js';
import { finishDeletion } from '../recordings/jobs/finish-deletion.job.js';
import { reconcileRecording } from '../recordings/jobs/reconcile-recording.job.js';
import { startDeadline } from '../recordings/jobs/start-deadline.job.js';
import { ObserveEgresses } from '../recordings/use-cases/observe-egresses.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { ReconcileRecording } from '../recordings/use-cases/reconcile-recording.js';
import { ApplyLiveKitEvent } from '../recordings/use-cases/apply-livekit-event.js';
import { EndEgress } from '../recordings/use-cases/end-egress.js';
import { Unsettled } from '../recordings/use-cases/unsettled.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { RecordingWriter } from '../recordings/write/recording.writer.js';
import { JobQueue } from '../queue/define-job.js';
import { checkRecorder } from '../recordings/jobs/check-recorder.job.js';
import { RecorderLog } from '../recordings/recorders/recorder-log.port.js';
import { Breaker } from './breaker.js';
import { type Finding, Sweep, type SweepPass } from './sweep.js';

/** The whole list has what ended within a day, so it is read seldom; what is active is read in every pass. */
const FULL_LIST_EVERY_MS = 5 * 60_000;
/** A timer that has not rung so long after its time was lost. */
const OVERDUE_MS = 2_000;
/** What a deletion is given before somebody else finishes it, and a continuation before it is tried again. */
const DELETION_MS = 30_000;
const CONTINUATION_MS = 30_000;

/** Everything that LiveKit lists against everything that is not settled: endings that nobody reported, egresses that nobody owns. */
@Injectable()
export class LiveKitReconciliationSweep extends Sweep {
  private readonly log = new Logger('Sweeps');
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
    private readonly observe: ObserveEgresses,
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
    const full = pass.manual || at % FULL_LIST_EVERY_MS < this.everyMs;
    const [listed, rooms] = await Promise.all([
      this.livekit.listEgresses(full ? {} : { active: true }),
      this.livekit.listRooms(),
    ]);
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
      const seen = byRecording.get(recording.id) ?? [];
      const egresses = full ? seen : await this.withEnded(recording, seen);
      const after = await this.compare(pass, recording, egresses, at);
      if (after !== null && !isFinal(after.status) && isAbsenceProven(after)) gone.push(after);
      byRecording.delete(recording.id);
      if (after !== null && !pass.dryRun) {
        await this.watch(after, withRecorder.has(after.roomId));
        await this.wakeOverdue(after);
      }
    }
    await this.lookAtGhosts(pass, byRecording, live);
    for (const egress of listed) this.noteStranger(pass, egress);
    await this.endGone(pass, gone, live);
  }

  /** Those that LiveKit lists as ended are many; of what we know, each that is missing is asked for by its id. */
  private async withEnded(recording: StoredRecording, active: readonly EgressSeen[]): Promise<EgressSeen[]> {
    const missing = liveEgresses(recording).filter((id) => active.every(({ egressId }) => egressId !== id));
    const found = await Promise.all(missing.map((id) => this.livekit.findEgress(id)));
    return [...active, ...found.filter((egress) => egress !== null)];
  }

  /** Every deadline follows from the row: one whose timer was lost is noticed here. */
  private async wakeOverdue(recording: StoredRecording): Promise<void> {
    const { id: recordingId, roomId, upkeep } = recording;
    const now = this.clock.now();
    const isOverdue = (dueAt: number | null): boolean => dueAt !== null && now - dueAt > OVERDUE_MS;
    if (isOverdue(startDeadlineOf(recording, this.config.recordingStartTimeoutMs)))
      await this.jobs.add(startDeadline, { recordingId });
    if (isOverdue(durationLimitOf(recording))) await this.jobs.add(endAtLimit, { recordingId });
    if (upkeep.deletion !== null && !upkeep.deleted && isOverdue(upkeep.deletion.requestedAt + DELETION_MS))
      await this.jobs.add(finishDeletion, { recordingId, roomId });
    if (awaitsContinuation(recording) && isOverdue((recording.endedAt ?? 0) + CONTINUATION_MS))
      await this.jobs.add(continueRecording, { recordingId });
    if (recording.status !== 'ACTIVE' && nextLookMs(recording, now) !== null)
      await this.jobs.add(reconcileRecording, { recordingId });
  }

  /** Another deployment's: shown, never touched. */
  private noteStranger(pass: SweepPass, egress: EgressSeen): void {
    const found = this.own.ownerOf(egress);
    if (found.owner !== 'stranger' || isFinal(egress.status)) return;
    pass.note({
      kind: 'FOREIGN_EGRESS',
      subject: egress.egressId,
      action: 'none: it belongs to another deployment',
      detail: `it records room ${egress.roomName} to another storage or for another DEPLOYMENT_ID`,
    });
  }

  private async compare(
    pass: SweepPass,
    recording: StoredRecording,
    egresses: readonly EgressSeen[],
    at: number,
  ): Promise<StoredRecording | null> {
    if (isAsListed(recording, egresses)) return recording;
    if (pass.dryRun) return recording;
    const told = await this.observe.listed(recording.id, egresses, at, pass.cause);
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

  /** Egresses of ours whose recording is settled or unknown. */
  private async lookAtGhosts(
    pass: SweepPass,
    ghosts: ReadonlyMap<RecordingId, readonly EgressSeen[]>,
    live: number,
  ): Promise<void> {
    const orphans: { readonly id: RecordingId; readonly egress: EgressSeen }[] = [];
    for (const [id, egresses] of ghosts) {
      const recording = await this.store.get(id);
      for (const egress of egresses) {
        if (recording !== null) await this.lookAtSettled(pass, recording, egress);
        else if (!isFinal(egress.status) && !(await this.recorders.isDead(egress.egressId)))
          orphans.push({ id, egress });
      }
    }
    const unexplained: typeof orphans = [];
    for (const orphan of orphans) if (!(await this.explain(pass, orphan))) unexplained.push(orphan);
    await this.stopUnexplained(pass, unexplained, live);
  }

  private async lookAtSettled(
    pass: SweepPass,
    { id, upkeep }: StoredRecording,
    egress: EgressSeen,
  ): Promise<void> {
    const running = !isFinal(egress.status);
    const known = upkeep.egresses[egress.egressId];
    if (known === 'lost' || (!running && (known === 'over' || !egress.file?.uploaded))) return;
    await pass.found(ghostFinding(id, egress, running ? 'stop the egress' : 'show its media'), () =>
      this.events.seeEgress(egress, pass.cause),
    );
  }

  /** True: it is known what it is. Its recording was deleted, or is in the bucket and taken back at once. */
  private async explain(pass: SweepPass, { id, egress }: Orphan): Promise<boolean> {
    if (await this.store.wasDeleted(id)) {
      await pass.found(ghostFinding(id, egress, 'stop the egress of a deleted recording'), () =>
        this.events.seeEgress(egress, pass.cause),
      );
      return true;
    }
    if (pass.dryRun) return false;
    try {
      if (!(await this.events.restore(id, egress, pass.cause))) return false;
    } catch (error) {
      // Its record could not be asked for: then nothing is known of it, and nothing is done.
      pass.failed(ghostFinding(id, egress, 'look for its record'), error);
      return true;
    }
    await pass.found(
      {
        kind: 'RECORD_WITHOUT_ROW',
        subject: id,
        action: 'restore the recording',
        detail: `Redis had forgotten it while egress ${egress.egressId} records it`,
      },
      () => this.events.seeEgress(egress, pass.cause),
    );
    return true;
  }

  /** Neither a row nor a record: stopped on evidence seen twice, and never many at once, since that can't be undone. */
  private async stopUnexplained(pass: SweepPass, orphans: readonly Orphan[], live: number): Promise<void> {
    const finding = ({ id, egress }: Orphan): Finding => ghostFinding(id, egress, 'stop the egress');
    const again = orphans.filter((orphan) => pass.isSeenAgain(finding(orphan)));
    const ids = again.map(({ egress }) => egress.egressId);
    const allowed = await this.breaker.allows(pass, 'ORPHANED_EGRESSES', ids, live);
    for (const orphan of orphans) {
      const { id: recordingId, egress } = orphan;
      const { egressId, roomName } = egress;
      await pass.suspect(finding(orphan), async () => {
        if (!allowed)
          throw new Error('so many at once are held back; run the sweep by hand where that is right');
        const message = 'an egress of ours without recording and record is stopped';
        this.log.warn({ event: 'egress_orphaned', message, egressId, recordingId, roomId: roomName });
        await this.endEgress.stop({ recordingId, roomName, egressId });
      });
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

  /** An egress that LiveKit has forgotten may record all the same: whoever answers for it is not gone. */
  private async end(recording: StoredRecording, cause: string): Promise<void> {
    for (const egressId of liveEgresses(recording)) {
      const askedAt = this.clock.now();
      if ((await this.livekit.askWorker(egressId)) !== 'alive') continue;
      await this.recorders.heard(egressId, askedAt);
      throw new Error(
        `the worker of egress ${egressId} answers: it records, though LiveKit does not list it`,
      );
    }
    const media = await this.reconcile.findMedia(recording);
    await this.writer.apply(
      recording.id,
      { kind: 'egress-gone', proof: 'absence', media, at: this.clock.now() },
      cause,
    );
  }
}

interface Orphan {
  readonly id: RecordingId;
  readonly egress: EgressSeen;
}

function ghostFinding(id: RecordingId, { egressId, roomName }: EgressSeen, action: string): Finding {
  return { kind: 'GHOST_EGRESS', subject: egressId, action, detail: `recording ${id} in room ${roomName}` };
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
