import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { EVENTS_CHANNEL, keys } from '../../redis/keys.js';
import { RebuildSuperseded } from '../../redis/redis-was-reset.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script, type ScriptCall } from '../../redis/script.js';
import { type StoredRecording, visiblePart } from '../domain/recording.js';
import { isUnsettled } from '../domain/slot.js';
import { formatOutboxEntry } from './outbox-entries.js';
import { foundBy, indexArguments, possibleIndexes } from './index-entries.js';
import {
  RecordingRestorer,
  type Restored,
  type RestoreGuard,
  type Return,
} from './recording-restorer.port.js';
import { type HistoryEntry, KEY_USE_MS } from './recording.store.js';
import { packDocument, packHistory, readRow } from './stored-row.js';

const restoreScript = new Script(join(__dirname, 'restore-recording.lua'));
/** A row that is replaced while it changes is looked at again so often. */
const TRIES = 5;

@Injectable()
export class RedisRecordingRestorer extends RecordingRestorer {
  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async restore(returns: readonly Return[], guard: RestoreGuard): Promise<Restored[]> {
    const results: Restored[] = returns.map(() => 'kept');
    let open = returns.map((one, i) => ({ i, one, before: null as StoredRecording | null }));
    for (let tried = 0; tried < TRIES && open.length > 0; tried++) {
      const calls = open.map(({ one, before }) => this.call(one, before, guard));
      const answers = (await restoreScript.runAll(this.connections.command, calls)) as Buffer[][];
      open = open.filter((entry, n) => {
        const [answer, row] = answers[n] ?? [];
        const kind = answer?.toString();
        if (kind === 'superseded') throw new RebuildSuperseded();
        if (kind === 'restored') results[entry.i] = 'restored';
        if (kind === 'older' && row) entry.before = readRow(row).recording;
        return kind === 'older';
      });
    }
    return results;
  }

  async known(ids: readonly RecordingId[]): Promise<Set<RecordingId>> {
    const values = await this.connections.pipeline((asked) =>
      ids.reduce((so, id) => so.exists(keys.recording(id)).zscore(keys.deleted(), id), asked),
    );
    return new Set(ids.filter((_, i) => values[2 * i] === 1 || values[2 * i + 1] !== null));
  }

  private call(
    { recording, history, effects }: Return,
    before: StoredRecording | null,
    guard: RestoreGuard,
  ): ScriptCall {
    const { key } = recording.upkeep;
    const { id, roomId } = recording;
    const { past, event } = pastAndEvent(history, guard);
    const indexes = indexArguments(
      [
        keys.recording(id),
        keys.slot(roomId),
        keys.slots(),
        keys.unsettled(),
        keys.outbox(),
        keys.epoch(),
        keys.rebuild(),
        key ? keys.idempotency(key.caller, key.key) : keys.epoch(),
        keys.events(),
      ],
      before,
      recording,
      // Where it is gone alone, what names it is still there, by what it was last.
      guard === null && before === null ? possibleIndexes(recording) : [],
    );
    return {
      keys: indexes.keys,
      args: [
        JSON.stringify({ ...this.step(recording, before, guard), ...(event && eventOf(recording, event)) }),
        indexes.add,
        indexes.remove,
        JSON.stringify(effects.map((effect, i) => formatOutboxEntry(recording, effect, i))),
        indexes.search,
        packDocument(recording),
        packHistory(past, recording),
        packHistory(event ? [event] : [], recording),
      ],
    };
  }

  private step(
    recording: StoredRecording,
    before: StoredRecording | null,
    guard: RestoreGuard,
  ): Record<string, unknown> {
    const { id, roomId, rev, upkeep, requestedAt } = recording;
    const now = this.clock.now();
    const useMs = requestedAt + KEY_USE_MS - now;
    return {
      id,
      room: roomId,
      before: String(before?.rev ?? 0),
      rev: String(rev),
      found: foundBy(recording),
      slot: upkeep.holdsSlot,
      unsettled: isUnsettled(recording),
      token: guard ?? '',
      now: String(now),
      ...(upkeep.key &&
        useMs > 0 && {
          use: JSON.stringify({ input: upkeep.key.input, recordingId: id }),
          useMs: String(useMs),
        }),
    };
  }
}

/** While Redis is whole, the return itself is an event of the log that is there, and has its place in it. */
function pastAndEvent(
  history: readonly HistoryEntry[],
  guard: RestoreGuard,
): { readonly past: readonly HistoryEntry[]; readonly event?: Omit<HistoryEntry, 'position'> } {
  const last = history.at(-1);
  if (guard !== null || last === undefined) return { past: history };
  const { position: _position, ...event } = last;
  return { past: history.slice(0, -1), event };
}

function eventOf(
  recording: StoredRecording,
  { type, previousStatus, at, cause }: Omit<HistoryEntry, 'position'>,
): Record<string, string> {
  return {
    event: JSON.stringify({ type, previousStatus, at, cause, recording: visiblePart(recording) }),
    channel: EVENTS_CHANNEL,
  };
}
