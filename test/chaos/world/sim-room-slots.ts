import type { RoomId } from '../../../src/kernel/ids.js';
import { type HeldSlot, RoomSlots } from '../../../src/recordings/store/room-slots.port.js';
import type { Incarnation } from './incarnation.js';
import type { RecordingTables } from './sim-recording-store.js';

export class SimRoomSlots extends RoomSlots {
  constructor(
    private readonly tables: RecordingTables,
    private readonly of: Incarnation,
  ) {
    super();
  }

  async *heldLongerThan(ms: number): AsyncIterable<HeldSlot> {
    const until = this.of.clock.now() - ms;
    const held = await this.command('held slots', () => [...this.tables.slots.entries()]);
    const old = held.filter(([, { since }]) => since <= until).sort(([, a], [, b]) => a.since - b.since);
    for (const [room, { recording, since }] of old) {
      yield { roomId: room as RoomId, recordingId: recording, since };
    }
  }

  free({ roomId, recordingId }: HeldSlot, rev: number | null): Promise<boolean> {
    return this.command(`free ${roomId}`, () => {
      void this.tables.epoch;
      if (this.tables.slots.get(roomId)?.recording !== recordingId) return false;
      if ((this.tables.rows.get(recordingId)?.doc.rev ?? null) !== rev) return false;
      this.tables.slots.delete(roomId);
      return true;
    });
  }

  take({ id, roomId, rev }: Parameters<RoomSlots['take']>[0]): Promise<boolean> {
    const since = this.of.clock.now();
    return this.command(`take ${roomId}`, () => {
      void this.tables.epoch;
      if (this.tables.slots.has(roomId) || this.tables.rows.get(id)?.doc.rev !== rev) return false;
      this.tables.slots.set(roomId, { recording: id, since });
      return true;
    });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.tables.redis.command(op));
  }
}
