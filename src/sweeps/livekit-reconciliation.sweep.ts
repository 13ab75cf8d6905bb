import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import type { RecordingId } from '../kernel/ids.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { EgressSeen, LiveRoomSeen } from '../livekit/livekit.types.js';
import { durationLimitOf } from '../recordings/domain/deadlines.js';
import { isFinal, isOver, type StoredRecording } from '../recordings/domain/recording.js';
import { watchedEgresses } from '../recordings/domain/slot.js';
import { autoRecord } from '../recordings/jobs/auto-record.job.js';
import { reconcileRecording } from '../recordings/jobs/reconcile-recording.job.js';
import { RecorderLog } from '../recordings/recorders/recorder-log.port.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { AutoRecord } from '../recordings/use-cases/auto-record.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { EndEgress } from '../recordings/use-cases/end-egress.js';
import { ReconcileEgress } from '../recordings/use-cases/reconcile-egress.js';
import { ReconcileRecording } from '../recordings/use-cases/reconcile-recording.js';
import { Unsettled } from '../recordings/use-cases/unsettled.js';
import { JobQueue } from '../queue/define-job.js';
import { Breaker } from './breaker.js';
import { type Finding, Sweep, type SweepPass } from './sweep.js';

/** The whole list has what ended within a day, so it is read seldom; what is active is read in every pass. */
const FULL_LIST_EVERY_MS = 5 * 60_000;
/** A timer that has not rung so long after its time was lost. */
const OVERDUE_MS = 2_000;

/**
 * Holds everything that LiveKit lists against everything that is not settled, and hands over what differs: endings that
 * nobody reported, egresses that no row explains, recordings whose timer was lost. What follows is judged elsewhere.
 */
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
    private readonly reconcile: ReconcileRecording,
    private readonly egresses: ReconcileEgress,
    private readonly recorders: RecorderLog,
    private readonly endEgress: EndEgress,
    private readonly auto: AutoRecord,
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
    const lost: Orphan[] = [];
    let live = 0;
    const recorded = new Set<string>();
    for await (const recording of this.unsettled.all()) {
      pass.signal.throwIfAborted();
      pass.examined();
      if (!isOver(recording)) {
        live += 1;
        recorded.add(recording.roomId);
      }
      const seen = byRecording.get(recording.id) ?? [];
      const egresses = full ? seen : await this.reconcile.withEnded(recording, seen);
      const after = await this.compare(pass, recording, egresses, at);
      if (after !== null && (await this.isGone(after))) gone.push(after);
      byRecording.delete(recording.id);
      lost.push(...lostOf(recording, seen));
      if (after !== null && !pass.dryRun) {
        await this.watch(after, withRecorder.has(after.roomId));
      }
    }
    if (!pass.dryRun) await this.wakeAutomatic(rooms, recorded);
    lost.push(...(await this.lookAtGhosts(pass, byRecording, live)));
    await this.removeLost(pass, lost, { rooms, live });
    for (const egress of listed) this.noteStranger(pass, egress);
    await this.endGone(pass, gone, live);
  }

  private async isGone(recording: StoredRecording): Promise<boolean> {
    if (recording.upkeep.absence === null) return false;
    return this.reconcile.isHeldEnd('GONE_EGRESS', recording, {});
  }

  /** Rooms that are recorded by themselves, with somebody in them, also where no webhook came. */
  private async wakeAutomatic(rooms: readonly LiveRoomSeen[], recorded: ReadonlySet<string>): Promise<void> {
    for (const { name, numParticipants } of rooms) {
      if (numParticipants === 0 || recorded.has(name)) continue;
      const roomId = await this.auto.isAutomatic(name);
      if (roomId !== null) await this.jobs.add(autoRecord, { roomId });
    }
  }

  /** Whatever has its time follows from the row: a recording whose timer was lost is woken here. */
  private async wakeOverdue(recording: StoredRecording, heardAt: number | null): Promise<void> {
    const { id: recordingId } = recording;
    const now = this.clock.now();
    const limit = durationLimitOf(recording);
    const isOverdue =
      recording.status !== 'ACTIVE' ||
      recording.upkeep.absence !== null ||
      (limit !== null && now - limit > OVERDUE_MS) ||
      now - (heardAt ?? 0) > 2 * this.config.recorderCheckEveryMs;
    if (isOverdue) await this.jobs.add(reconcileRecording, { recordingId });
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
    const after = pass.dryRun
      ? this.reconcile.foresee(recording, { kind: 'egresses-listed', egresses, at })
      : ((await this.reconcile.observeAll(recording.id, egresses, at, pass.cause))?.recording ?? null);
    if (after !== null && after.version !== recording.version) {
      await pass.found(
        {
          kind: 'MISSED_REPORT',
          subject: recording.id,
          action: 'take over what LiveKit lists',
          detail: `${recording.status} was ${after.status}`,
        },
        async () => undefined,
      );
    }
    return after;
  }

  /** Remembers that its recorder was seen in the room, and sees to it that each worker is asked in its time. */
  private async watch(recording: StoredRecording, recorderShown: boolean): Promise<void> {
    let oldest: number | null = this.clock.now();
    for (const egressId of watchedEgresses(recording)) {
      const { heardAt, silentAt, presence } = await this.recorders.state(egressId);
      if (recorderShown && presence === 'unknown')
        await this.recorders.setPresence(egressId, 'seen', recording.requestedAt);
      oldest = Math.min(oldest, silentAt.at(-1) ?? heardAt ?? 0);
    }
    await this.wakeOverdue(recording, oldest);
  }

  /** Egresses of ours whose recording is settled or unknown. Those whose worker is proven dead are answered. */
  private async lookAtGhosts(
    pass: SweepPass,
    ghosts: ReadonlyMap<RecordingId, readonly EgressSeen[]>,
    live: number,
  ): Promise<Orphan[]> {
    const suspects: Orphan[] = [];
    const lost: Orphan[] = [];
    for (const [id, egresses] of ghosts) {
      const recording = await this.store.get(id);
      if (recording !== null) lost.push(...lostOf(recording, egresses));
      for (const egress of egresses) {
        if (recording !== null) await this.lookAtSettled(pass, recording, egress);
        else if (isFinal(egress.status)) continue;
        else if (await this.recorders.isDead(egress.egressId)) lost.push({ id, egress });
        else if (await this.isUnexplained(pass, { id, egress })) suspects.push({ id, egress });
      }
    }
    await this.stopUnexplained(pass, suspects, live);
    return lost;
  }

  /**
   * A child that outlived its worker, or whose pipeline stands still, sits in the room as its recorder, records nothing and would
   * stay to the end. A worker that is merely cut off records on, and the removal would end that: so never many at once.
   */
  private async removeLost(
    pass: SweepPass,
    lost: readonly Orphan[],
    { rooms, live }: { readonly rooms: readonly LiveRoomSeen[]; readonly live: number },
  ): Promise<void> {
    const open = new Set(rooms.map(({ name }) => name));
    const inside: Orphan[] = [];
    for (const one of lost) {
      const { roomName, egressId } = one.egress;
      if (!open.has(roomName)) continue;
      const participants = await this.livekit.listParticipants(roomName);
      if (participants.some(({ identity }) => identity === egressId)) inside.push(one);
    }
    const ids = inside.map(({ egress }) => egress.egressId);
    const allowed = await this.breaker.allows(pass, 'LOST_RECORDERS', ids, live);
    for (const { id: recordingId, egress, stalled = false } of inside) {
      const { roomName, egressId } = egress;
      const finding = {
        kind: 'LOST_RECORDER',
        subject: egressId,
        action: 'remove it from its room',
        detail: `the worker of recording ${recordingId} ${stalled ? 'delivers nothing' : 'is dead'}, and its recorder sits in room ${roomName}`,
      };
      const reason = stalled ? 'no media came of it any more' : 'its worker is dead';
      const ending = { recordingId, roomName, egressId, reason };
      if (allowed) await pass.found(finding, () => this.endEgress.removeRecorder(ending));
      else pass.failed(finding, new Error('so many at once are held back'));
    }
  }

  private async lookAtSettled(
    pass: SweepPass,
    { id, upkeep }: StoredRecording,
    egress: EgressSeen,
  ): Promise<void> {
    const running = !isFinal(egress.status);
    const known = upkeep.egresses[egress.egressId];
    if (known === 'lost' || (!running && (known === 'over' || !egress.file?.uploaded))) return;
    await pass.found(ghostFinding(id, egress, running ? 'stop the egress' : 'show its media'), async () => {
      // A worker that was silent for long comes back with an egress that LiveKit had missed until it was taken for over.
      if (running && known === 'over')
        await this.egresses.stop(id, egress, 'its recording is over, and LiveKit lists it as running');
      else await this.egresses.execute(egress, pass.cause);
    });
  }

  /** False: it is known what it is. Its recording was deleted, or is in the bucket and taken back at once. */
  private async isUnexplained(pass: SweepPass, { id, egress }: Orphan): Promise<boolean> {
    if (pass.dryRun) {
      const verdict = await this.egresses.foresee(id, egress);
      if (verdict.do === 'stop')
        pass.note(ghostFinding(id, egress, `would stop the egress: ${verdict.reason}`));
      return verdict.do === 'restore';
    }
    try {
      const outcome = await this.egresses.execute(egress, pass.cause);
      if (outcome === 'stopped')
        await pass.found(ghostFinding(id, egress, 'stop the egress of a deleted recording'), nothingMore);
      if (outcome === 'restored') await pass.found(restoredFinding(id, egress), nothingMore);
      return outcome === 'suspect';
    } catch (error) {
      // What it is could not be asked for: then nothing is known of it, and nothing is done.
      pass.failed(ghostFinding(id, egress, 'look for its record'), error);
      return false;
    }
  }

  /** Neither a row nor a record: stopped on evidence seen twice, and never many at once, since that can't be undone. */
  private async stopUnexplained(pass: SweepPass, orphans: readonly Orphan[], live: number): Promise<void> {
    const finding = ({ id, egress }: Orphan): Finding => ghostFinding(id, egress, 'stop the egress');
    const again = orphans.filter((orphan) => pass.isSeenAgain(finding(orphan)));
    const ids = again.map(({ egress }) => egress.egressId);
    const allowed = await this.breaker.allows(pass, 'ORPHANED_EGRESSES', ids, live);
    for (const orphan of orphans) {
      const { id, egress } = orphan;
      await pass.suspect(finding(orphan), async () => {
        if (!allowed)
          throw new Error('so many at once are held back; run the sweep by hand where that is right');
        await this.egresses.stop(id, egress, 'neither Redis nor the bucket knows a recording of it');
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

  private async end({ id }: StoredRecording, cause: string): Promise<void> {
    if (await this.reconcile.carryOut(id, 'GONE_EGRESS', {}, cause)) return;
    throw new Error(`more evidence speaks against it: somebody answers for its egress, or it was seen again`);
  }
}

const nothingMore = async (): Promise<void> => undefined;

interface Orphan {
  readonly id: RecordingId;
  readonly egress: EgressSeen;
  /** Its worker answers, and no media came of it. */
  readonly stalled?: boolean;
}

/** Those that LiveKit lists as running, and whose worker is proven dead, or whose pipeline to stand still. */
function lostOf({ id, upkeep }: StoredRecording, egresses: readonly EgressSeen[]): Orphan[] {
  const stalled = upkeep.stalledSince !== undefined;
  return egresses.flatMap((egress) =>
    upkeep.egresses[egress.egressId] === 'lost' && !isFinal(egress.status) ? [{ id, egress, stalled }] : [],
  );
}

function ghostFinding(id: RecordingId, { egressId, roomName }: EgressSeen, action: string): Finding {
  return { kind: 'GHOST_EGRESS', subject: egressId, action, detail: `recording ${id} in room ${roomName}` };
}

function restoredFinding(id: RecordingId, { egressId }: EgressSeen): Finding {
  return {
    kind: 'RECORD_WITHOUT_ROW',
    subject: id,
    action: 'restore the recording',
    detail: `Redis had forgotten it while egress ${egressId} records it`,
  };
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
