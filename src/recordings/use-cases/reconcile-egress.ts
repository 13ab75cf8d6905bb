import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import { parseRoomId, type RecordingId } from '../../kernel/ids.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { metadataKey } from '../../storage/object-keys.js';
import { type OrphanEvidence, type OrphanVerdict, orphanVerdict } from '../domain/orphan.js';
import { isLongSilent } from '../domain/worker-verdict.js';
import { FleetProbe } from '../recorders/fleet-probe.js';
import { RecorderLog } from '../recorders/recorder-log.port.js';
import { RecordingStore } from '../store/recording.store.js';
import { EndEgress, type EgressToEnd } from './end-egress.js';
import { OwnEgresses } from './own-egresses.js';
import { ReconcileRecording } from './reconcile-recording.js';
import { RestoreFromRecord } from './restore-from-record.js';

/** What became of an egress that somebody has seen. `suspect`: ours, and nothing explains it. */
export type EgressOutcome = 'not-ours' | 'observed' | 'restored' | 'stopped' | 'suspect' | 'settled';

/** An egress that LiveKit shows, with a row or without: the one way by which it is explained, taken over or ended. */
@Injectable()
export class ReconcileEgress {
  constructor(
    private readonly store: RecordingStore,
    private readonly own: OwnEgresses,
    private readonly reconcile: ReconcileRecording,
    private readonly fromRecord: RestoreFromRecord,
    private readonly recorders: RecorderLog,
    private readonly endEgress: EndEgress,
    private readonly fleet: FleetProbe,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Throws LIVEKIT_UNAVAILABLE or STORAGE_UNAVAILABLE where it could not be told: then nothing is done about it. */
  async execute(egress: EgressSeen, cause = 'livekit'): Promise<EgressOutcome> {
    const id = this.own.recordingOf(egress);
    if (id === null) return 'not-ours';
    if ((await this.reconcile.observe(id, egress, cause)) !== null) return 'observed';
    let evidence: OrphanEvidence = { status: egress.status };
    for (;;) {
      const verdict = orphanVerdict(evidence);
      switch (verdict.do) {
        case 'ask':
          evidence = { ...evidence, [verdict.question]: await this.ask(verdict.question, id, egress) };
          break;
        case 'restore':
          evidence = { ...evidence, restored: await this.restore(id, egress, cause) };
          break;
        case 'stop':
          await this.stop(id, egress, verdict.reason);
          return 'stopped';
        case 'suspect':
          return 'suspect';
        case 'settled':
          return evidence.restored === true ? 'restored' : 'settled';
      }
    }
  }

  /** What would be done about an egress without a row; nothing is. */
  async foresee(id: RecordingId, egress: EgressSeen): Promise<OrphanVerdict> {
    const dead = await this.ask('dead', id, egress);
    const deleted = await this.ask('deleted', id, egress);
    return orphanVerdict({ status: egress.status, dead, deleted });
  }

  /** Throws LIVEKIT_UNAVAILABLE. */
  async stop(recordingId: RecordingId, { roomName, egressId }: EgressSeen, reason: string): Promise<void> {
    const ending = { recordingId, roomName, egressId, reason, listed: true };
    const askedAt = this.clock.now();
    if ((await this.endEgress.stop(ending)) === null) return;
    await this.recorders.silent(egressId, askedAt);
    if (await this.isProvenDead(ending)) await this.recorders.markDead(egressId, this.clock.now());
  }

  /** On the evidence by which a recording is lost: without a row, nobody else asks, and LiveKit lists it for ever. */
  private async isProvenDead(ending: EgressToEnd): Promise<boolean> {
    const { egressId, roomName } = ending;
    const { silentAt } = await this.recorders.state(egressId);
    if (!isLongSilent({ silentAt }, { workerLostAfterMs: this.config.recorderLostAfterMs })) return false;
    const since = silentAt.at(-1) ?? 0;
    const another =
      (await this.recorders.anotherHeardSince(egressId, since)) ||
      (await this.fleet.isThere(roomName, since));
    return another && (await this.endEgress.stop(ending)) !== null;
  }

  private ask(question: 'dead' | 'deleted', id: RecordingId, { egressId }: EgressSeen): Promise<boolean> {
    return question === 'dead' ? this.recorders.isDead(egressId) : this.store.wasDeleted(id);
  }

  private async restore(id: RecordingId, egress: EgressSeen, cause: string): Promise<boolean> {
    const roomId = parseRoomId(egress.roomName);
    if (roomId === null) return false;
    await this.fromRecord.execute(metadataKey({ id, roomId }), cause);
    if ((await this.store.get(id)) === null) return false;
    // Its room was given to another while it was forgotten: two recordings of one room are one too many.
    if ((await this.store.slotHolder(roomId)) !== id)
      await this.stop(id, egress, 'its room was given to another recording while Redis had forgotten it');
    await this.reconcile.observe(id, egress, cause);
    return true;
  }
}
