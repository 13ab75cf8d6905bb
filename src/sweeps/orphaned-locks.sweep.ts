import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { Clock } from '../kernel/clock.js';
import type { RecordingId } from '../kernel/ids.js';
import { LiveKit } from '../livekit/livekit.port.js';
import type { EgressSeen } from '../livekit/livekit.types.js';
import { Leases, type LeaseSeen } from '../locks/leases.js';
import { isFinal, isOver, type StoredRecording } from '../recordings/domain/recording.js';
import { RecorderLog } from '../recordings/recorders/recorder-log.port.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import { type HeldSlot, RoomSlots } from '../recordings/store/room-slots.port.js';
import { liveEgresses } from '../recordings/domain/slot.js';
import { EndEgress } from '../recordings/use-cases/end-egress.js';
import { Unsettled } from '../recordings/use-cases/unsettled.js';
import { OwnEgresses } from '../recordings/use-cases/own-egresses.js';
import { ReconcileRecording } from '../recordings/use-cases/reconcile-recording.js';
import { ForgottenRecordings } from './forgotten-recordings.js';
import { Sweep, type SweepPass } from './sweep.js';

const NAMES_RECORDING = /rec_[0-9A-HJKMNP-TV-Z]{26}/;

/** One look at all that LiveKit lists as active, taken when the first slot needs it. */
interface Look {
  readonly at: number;
  readonly egresses: ReadonlyMap<RecordingId, readonly EgressSeen[]>;
}

/**
 * Rooms and leases that are held for nothing: by a recording that is over or unknown, and free by the one rule that frees a room.
 * Rooms that should be held and are not, and recordings that hold a room and that nobody comes back to.
 */
@Injectable()
export class OrphanedLocksSweep extends Sweep {
  readonly name = 'ORPHANED_LOCKS';
  readonly everyMs: number;

  constructor(
    private readonly config: Config,
    private readonly slots: RoomSlots,
    private readonly leases: Leases,
    private readonly store: RecordingStore,
    private readonly reconcile: ReconcileRecording,
    private readonly livekit: LiveKit,
    private readonly own: OwnEgresses,
    private readonly unsettled: Unsettled,
    private readonly forgotten: ForgottenRecordings,
    private readonly recorders: RecorderLog,
    private readonly endEgress: EndEgress,
    private readonly clock: Clock,
  ) {
    super();
    this.everyMs = config.sweepEveryMs.orphanedLocks;
  }

  async pass(pass: SweepPass): Promise<void> {
    let look: Promise<Look> | null = null;
    for await (const slot of this.slots.heldLongerThan(this.config.orphanedLockGraceMs)) {
      pass.signal.throwIfAborted();
      pass.examined();
      const recording = await this.store.get(slot.recordingId);
      if (recording !== null) await this.forgotten.look(pass, recording);
      if (recording !== null && !isOver(recording)) continue;
      look ??= this.look();
      if (recording === null) await this.lookAtUnknown(pass, slot, await look);
      else await this.lookAtFinal(pass, slot, recording, await look);
    }
    await this.giveBack(pass);
    for (const lease of await this.leases.list()) {
      pass.examined();
      await this.lookAtLease(pass, lease);
    }
  }

  /** A room that nobody holds although its recording does, by its own row: somebody else could start a second one in it. */
  private async giveBack(pass: SweepPass): Promise<void> {
    for await (const recording of this.unsettled.all()) {
      pass.signal.throwIfAborted();
      if (!recording.upkeep.holdsSlot) continue;
      const holder = await this.store.slotHolder(recording.roomId);
      if (holder === recording.id) continue;
      if (holder !== null) {
        await this.endSecond(pass, recording, holder);
        continue;
      }
      const finding = {
        kind: 'LOST_SLOT',
        subject: recording.roomId,
        action: 'give the room back to its recording',
        detail: `recording ${recording.id} is ${recording.status}, and Redis did not know that it holds the room`,
      };
      await pass.found(finding, async () => void (await this.slots.take(recording)));
    }
  }

  /** Its room was given to another while Redis had forgotten that it holds it: one of the two is one too many. */
  private async endSecond(pass: SweepPass, recording: StoredRecording, holder: RecordingId): Promise<void> {
    const { id: recordingId, roomId: roomName, status } = recording;
    if (isFinal(status)) return;
    const finding = {
      kind: 'SECOND_RECORDING',
      subject: recordingId,
      action: 'stop its egress',
      detail: `room ${roomName} is held by recording ${holder}`,
    };
    await pass.suspect(finding, async () => {
      for (const egressId of liveEgresses(recording))
        await this.endEgress.stop({ recordingId, roomName, egressId, reason: finding.detail });
    });
  }

  private async look(): Promise<Look> {
    // What is seen is at least as new as this, which the rule relies on.
    const at = this.clock.now();
    return { at, egresses: this.own.byRecording(await this.livekit.listEgresses({ active: true })) };
  }

  /** Nobody knows what became of its start: free once none can be on its way any more, and nothing of it runs. */
  private async lookAtUnknown(pass: SweepPass, slot: HeldSlot, { at, egresses }: Look): Promise<void> {
    if (at - slot.since < this.config.livekitStartTimeoutMs) return;
    for (const { egressId, status } of egresses.get(slot.recordingId) ?? [])
      if (!isFinal(status) && !(await this.recorders.isDead(egressId))) return;
    await pass.suspect(
      {
        kind: 'ORPHANED_SLOT',
        subject: slot.roomId,
        action: 'free the room',
        detail: `held by recording ${slot.recordingId}, which is unknown`,
      },
      () => this.free(slot, null),
    );
  }

  private async lookAtFinal(
    pass: SweepPass,
    slot: HeldSlot,
    recording: StoredRecording,
    { at, egresses }: Look,
  ): Promise<void> {
    const seen = await this.reconcile.withEnded(recording, egresses.get(recording.id) ?? []);
    const fact = { kind: 'egresses-listed', egresses: seen, at } as const;
    if (this.reconcile.foresee(recording, fact).upkeep.holdsSlot) return;
    await pass.suspect(
      {
        kind: 'ORPHANED_SLOT',
        subject: slot.roomId,
        action: 'free the room',
        detail: `held by recording ${recording.id}, which is ${recording.status}`,
      },
      async () => {
        // By its own row first: the commit that gives the room up frees it.
        if (recording.upkeep.holdsSlot)
          await this.reconcile.observeAll(recording.id, fact.egresses, at, pass.cause);
        else await this.free(slot, recording.rev);
      },
    );
  }

  private async free(slot: HeldSlot, rev: number | null): Promise<void> {
    if (await this.slots.free(slot, rev)) return;
    throw new Error(
      `what room ${slot.roomId} is held by has changed; it is looked at again in the next pass`,
    );
  }

  private async lookAtLease(pass: SweepPass, lease: LeaseSeen): Promise<void> {
    const { name, owner, ageMs, sinceMs, untilMs } = lease;
    if (ageMs < this.config.orphanedLockGraceMs) return;
    const named = NAMES_RECORDING.exec(name)?.[0];
    const recording = named === undefined ? null : await this.store.get(named as RecordingId);
    const ofNobody = named !== undefined && (recording === null || isFinal(recording.status));
    // Every lease ends by itself: one that is there long after its end was not made by us, or lost its end.
    const endless = untilMs + this.config.orphanedLockGraceMs < sinceMs + ageMs;
    if (!ofNobody && !endless) return;
    const why = endless ? 'it has no end' : 'its recording is over or unknown';
    await pass.suspect(
      {
        kind: 'ORPHANED_LEASE',
        subject: name,
        action: 'release the lease',
        detail: `held by ${owner}: ${why}`,
      },
      async () => {
        await this.leases.release(lease);
      },
    );
  }
}
