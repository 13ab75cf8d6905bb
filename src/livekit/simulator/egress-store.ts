import { type EgressInfo, EgressStatus } from '@livekit/protocol';
import type { Clock } from '../../kernel/clock.js';
import { endedRecord, isTerminal } from './egress-record.js';
import type { SimulatorTimings } from './timings.js';
import { overBus } from './twirp-refusal.js';
import { type EventSink, eventOf } from './webhook-events.js';

/** livekit-server's records of egresses: whatever a worker reports last is what they say. */
export class EgressStore {
  private readonly records = new Map<string, EgressInfo>();

  constructor(
    private readonly clock: Clock,
    private readonly timings: SimulatorTimings,
    private readonly events: EventSink,
  ) {}

  create(info: EgressInfo): void {
    this.records.set(info.egressId, info.clone());
    this.events.egress('egress_started', info);
  }

  /** Believed blindly: no order of statuses is kept here. */
  report(info: EgressInfo): void {
    this.records.set(info.egressId, info.clone());
    this.events.egress(eventOf(info.status), info);
  }

  find(egressId: string): EgressInfo | null {
    this.forgetOld();
    return this.records.get(egressId)?.clone() ?? null;
  }

  /** With an id everything else is ignored and an unknown one is LiveKit's 404; else unordered and unpaged. */
  list(filter: {
    readonly egressId?: string;
    readonly roomName?: string;
    readonly active?: boolean;
  }): EgressInfo[] {
    if (filter.egressId) {
      const found = this.find(filter.egressId);
      if (!found) throw overBus('not_found', 'egress does not exist');
      return [found];
    }
    this.forgetOld();
    return [...this.records.values()]
      .filter(({ roomName }) => !filter.roomName || roomName === filter.roomName)
      .filter(({ status }) => !filter.active || status <= EgressStatus.EGRESS_ENDING)
      .map((info) => info.clone());
  }

  /** As many that ended just now, in rooms of their own: the list of a busy day. Nobody is told of them. */
  plantEnded(count: number, newId: () => string): void {
    const at = BigInt(Math.floor(this.clock.now())) * 1_000_000n;
    for (let planted = 0; planted < count; planted += 1) {
      const egressId = newId();
      this.records.set(egressId, endedRecord(egressId, `planted-${planted % 100}`, at));
    }
  }

  /** What another process kept; nobody is told again. */
  restore(infos: readonly EgressInfo[]): void {
    for (const info of infos) this.records.set(info.egressId, info);
  }

  drop(egressId: string): void {
    this.records.delete(egressId);
  }

  forgetEverything(): void {
    this.records.clear();
  }

  /** Records that never ended stay for ever. */
  private forgetOld(): void {
    const before = BigInt(Math.floor(this.clock.now() - this.timings.retentionMs)) * 1_000_000n;
    for (const [id, info] of this.records) {
      if (isTerminal(info) && info.endedAt < before) this.records.delete(id);
    }
  }
}
