import type { RecordingId } from '../../../src/kernel/ids.js';
import { visiblePart } from '../../../src/recordings/domain/recording.js';
import { isUnsettled } from '../../../src/recordings/domain/slot.js';
import { formatOutboxEntry } from '../../../src/recordings/store/outbox-entries.js';
import {
  RecordingRestorer,
  type Restored,
  type RestoreGuard,
  type Return,
} from '../../../src/recordings/store/recording-restorer.port.js';
import { KEY_USE_MS } from '../../../src/recordings/store/recording.store.js';
import { RebuildSuperseded } from '../../../src/redis/redis-was-reset.js';
import type { Incarnation } from './incarnation.js';
import type { RecordingTables } from './sim-recording-store.js';

export interface RestorerSurroundings {
  isRebuiltBy(token: string): boolean;
  /** A recording came back with this version. */
  cameBack(id: RecordingId, version: number): void;
}

/** Brings recordings back with the semantics of the restore script. */
export class SimRecordingRestorer extends RecordingRestorer {
  constructor(
    private readonly tables: RecordingTables,
    private readonly around: RestorerSurroundings,
    private readonly of: Incarnation,
  ) {
    super();
  }

  restore(returns: readonly Return[], guard: RestoreGuard): Promise<Restored[]> {
    return this.command(`restore ${returns.map(({ recording }) => recording.id.slice(-4)).join(' ')}`, () =>
      returns.map((one) => this.bringBack(one, guard)),
    );
  }

  known(ids: readonly RecordingId[]): Promise<Set<RecordingId>> {
    const { rows, deleted } = this.tables;
    return this.command('known', () => new Set(ids.filter((id) => rows.has(id) || deleted.has(id))));
  }

  private bringBack({ recording, history, effects }: Return, guard: RestoreGuard): Restored {
    const { tables } = this;
    const whole = tables.meta.has('epoch');
    if (guard === null ? !whole : !this.around.isRebuiltBy(guard)) throw new RebuildSuperseded();
    const row = tables.rows.get(recording.id);
    if (row && row.doc.rev >= recording.rev) return 'kept';
    tables.rows.set(recording.id, {
      doc: recording,
      history: this.asEvent({ recording, history, effects }, guard),
    });
    this.moveSlot(recording);
    if (isUnsettled(recording)) tables.unsettled.set(recording.id, true);
    else tables.unsettled.delete(recording.id);
    this.useKey(recording);
    const now = this.of.clock.now();
    effects.forEach((effect, i) => tables.outbox.set(formatOutboxEntry(recording, effect, i), now));
    this.around.cameBack(recording.id, recording.version);
    return 'restored';
  }

  /** While Redis is whole, the return itself is an event of the log. */
  private asEvent({ recording, history }: Return, guard: RestoreGuard): Return['history'] {
    const last = history.at(-1);
    if (guard !== null || last === undefined) return history;
    const position = { epoch: this.tables.epoch, id: this.tables.nextEventId() };
    const { type, previousStatus, at, cause } = last;
    const event = { type, previousStatus, at, cause, position, recording: visiblePart(recording) };
    this.tables.events.set(position.id, event);
    return [...history.slice(0, -1), { ...last, position }];
  }

  private moveSlot({ id, roomId, upkeep }: Return['recording']): void {
    const { slots } = this.tables;
    const holder = slots.get(roomId)?.recording;
    if (upkeep.holdsSlot) {
      if (holder === undefined || holder < id) {
        slots.set(roomId, { recording: id, since: this.of.clock.now() });
      }
    } else if (holder === id) slots.delete(roomId);
  }

  private useKey({ id, requestedAt, upkeep: { key } }: Return['recording']): void {
    if (!key) return;
    const name = `${key.caller}\n${key.key}`;
    if (this.tables.keys.has(name)) return;
    this.tables.keys.set(name, { input: key.input, recordingId: id, until: requestedAt + KEY_USE_MS });
  }

  private command<T>(what: string, op: () => T): Promise<T> {
    return this.of.pass(what, () => this.tables.redis.command(op));
  }
}
