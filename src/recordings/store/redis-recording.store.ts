import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId, RoomId } from '../../kernel/ids.js';
import { EVENTS_CHANNEL, keys } from '../../redis/keys.js';
import { redisWasReset } from '../../redis/redis-was-reset.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { Script } from '../../redis/script.js';
import type { Belonging } from '../../rooms/store/room.store.js';
import {
  RECORDING_STATUSES,
  type RecordingStatus,
  type StoredRecording,
  visiblePart,
} from '../domain/recording.js';
import { isUnsettled } from '../domain/slot.js';
import { formatOutboxEntry, parseOutboxEntry } from './outbox-entries.js';
import { changesBetween } from './history.js';
import { foundBy, indexArguments, indexKeys, roomScope } from './index-entries.js';
import type { RecordingPage, RecordingQuery } from './recording-query.js';
import {
  type Commit,
  type CommitResult,
  type OutboxEntry,
  type HistoryEntry,
  KEY_USE_MS,
  type KeyUse,
  RecordingStore,
  type RecordingWithHistory,
} from './recording.store.js';
import { RedisRecordingPages } from './redis-recording-pages.js';
import { packDocument, packHistory, readRow } from './stored-row.js';

const commitScript = new Script(join(__dirname, 'commit-recording.lua'));
const keepUnsettled = new Script(join(__dirname, 'keep-unsettled.lua'));
const readScript = new Script(join(__dirname, 'read-row.lua'));

@Injectable()
export class RedisRecordingStore extends RecordingStore {
  constructor(
    private readonly connections: RedisConnections,
    private readonly pages: RedisRecordingPages,
    private readonly clock: Clock,
  ) {
    super();
  }

  async get(id: RecordingId): Promise<StoredRecording | null> {
    return (await this.row(id))?.recording ?? null;
  }

  withHistory(id: RecordingId): Promise<RecordingWithHistory | null> {
    return this.row(id);
  }

  async isListed(id: RecordingId): Promise<boolean> {
    const [, ...scores] = await this.connections.readWhole((whole) =>
      RECORDING_STATUSES.reduce((all, status) => all.zscore(indexKeys.requested('all', status), id), whole),
    );
    return scores.some((score) => score !== null);
  }

  async wasDeleted(id: RecordingId): Promise<boolean> {
    return (await this.read((whole) => whole.zscore(keys.deleted(), id))) !== null;
  }

  async forgetDeleted(before: number): Promise<void> {
    await this.connections.run((redis) => redis.zremrangebyscore(keys.deleted(), '-inf', `(${before}`));
  }

  async commit(step: Commit): Promise<CommitResult> {
    const { before, next, idempotency } = step;
    const indexes = indexArguments(this.fixedKeys(step), before, next);
    const answer = (await commitScript.run(this.connections.command, indexes.keys, [
      JSON.stringify({
        ...this.stepOf(step),
        ...(idempotency && {
          use: JSON.stringify({ input: idempotency.input, recordingId: next.id }),
          useMs: String(KEY_USE_MS),
        }),
      }),
      indexes.add,
      indexes.remove,
      JSON.stringify(step.effects.map((effect, i) => formatOutboxEntry(next, effect, i))),
      indexes.search,
      packDocument(next),
      packHistory(entriesOf(step), next),
    ])) as string[];
    return commitResult(answer);
  }

  page(query: RecordingQuery): Promise<RecordingPage> {
    return this.pages.read(query);
  }

  async history(id: RecordingId): Promise<readonly HistoryEntry[]> {
    return (await this.row(id))?.history ?? [];
  }

  async slotHolder(room: RoomId): Promise<RecordingId | null> {
    return (await this.read((whole) => whole.hget(keys.slot(room), 'recording'))) as RecordingId | null;
  }

  belongings(room: RoomId, statuses: readonly RecordingStatus[]): Belonging[] {
    return statuses.map((status) => indexKeys.requested(roomScope(room), status) as Belonging);
  }

  async countInRoom(room: RoomId): Promise<number> {
    const [, ...counts] = await this.connections.readWhole((whole) =>
      RECORDING_STATUSES.reduce(
        (all, status) => all.zcard(indexKeys.requested(roomScope(room), status)),
        whole,
      ),
    );
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  async unsettled(after: RecordingId | null, limit: number): Promise<RecordingId[]> {
    const from = after === null ? '-' : `(${after}`;
    return (await this.read((whole) =>
      whole.zrange(keys.unsettled(), from, '+', 'BYLEX', 'LIMIT', 0, limit),
    )) as RecordingId[];
  }

  async isKeptUnsettled(id: RecordingId): Promise<boolean> {
    return (await this.read((whole) => whole.zscore(keys.unsettled(), id))) !== null;
  }

  async keepUnsettled({ id, rev }: Pick<StoredRecording, 'id' | 'rev'>): Promise<boolean> {
    const answer = await keepUnsettled.run(
      this.connections.command,
      [keys.recording(id), keys.unsettled(), keys.epoch()],
      [id, rev],
    );
    if (answer === -1) throw redisWasReset();
    return answer === 1;
  }

  async keyUse(caller: string, key: string): Promise<KeyUse | null> {
    const use = await this.read((whole) => whole.get(keys.idempotency(caller, key)));
    return typeof use === 'string' ? (JSON.parse(use) as KeyUse) : null;
  }

  async outbox(olderThanMs: number, limit: number, skip = 0): Promise<OutboxEntry[]> {
    const until = this.clock.now() - olderThanMs;
    // It is asked for all the time, and "none" is acted upon by nobody.
    const count = await this.connections.run((redis) => redis.zcount(keys.outbox(), '-inf', until));
    if (count <= skip) return [];
    const entries = (await this.read((whole) =>
      whole.zrange(keys.outbox(), '-inf', until, 'BYSCORE', 'LIMIT', skip, limit),
    )) as string[];
    return entries.map((entry) => parseOutboxEntry(entry));
  }

  async ack(entries: readonly string[]): Promise<void> {
    if (entries.length > 0) await this.connections.run((redis) => redis.zrem(keys.outbox(), ...entries));
  }

  /** Null: there is none. The history is unpacked for who asks. */
  private async row(id: RecordingId): Promise<RecordingWithHistory | null> {
    // Both at one moment, so that a row that is not there is "none" in a Redis that is whole.
    const [epoch, row] = await this.connections.run((redis) =>
      redis.mgetBuffer(keys.epoch(), keys.recording(id)),
    );
    if (epoch == null) throw redisWasReset();
    return row == null ? this.rowOfEarlierVersion(id) : withHistory(row, epoch);
  }

  private async rowOfEarlierVersion(id: RecordingId): Promise<RecordingWithHistory | null> {
    const answer = await readScript.runBuffers(
      this.connections.command,
      [keys.epoch(), keys.recording(id)],
      [],
    );
    const [epoch, row] = answer as [Buffer, Buffer?];
    if (epoch.toString() === 'redis-was-reset') throw redisWasReset();
    return row === undefined ? null : withHistory(row, epoch);
  }

  private async read(question: (whole: ChainableCommander) => ChainableCommander): Promise<unknown> {
    const [, answer] = await this.connections.readWhole(question);
    return answer;
  }

  private fixedKeys({ next, idempotency }: Commit): string[] {
    return [
      keys.recording(next.id),
      keys.slot(next.roomId),
      keys.slots(),
      keys.events(),
      keys.outbox(),
      keys.unsettled(),
      keys.epoch(),
      idempotency ? keys.idempotency(idempotency.caller, idempotency.key) : keys.epoch(),
      keys.room(next.roomId),
      keys.deleted(),
    ];
  }

  private stepOf({ token, before, next, event, cause, at, inRoom = false }: Commit): Record<string, unknown> {
    const had = before?.upkeep.holdsSlot ?? false;
    const has = next.upkeep.holdsSlot;
    return {
      token,
      id: next.id,
      room: next.roomId,
      rev: String(before?.rev ?? 0),
      nextRev: String(next.rev),
      found: foundBy(next),
      slot: has === had ? 'keep' : has ? 'take' : 'free',
      unsettled: isUnsettled(next),
      remove: next.upkeep.deleted && !isUnsettled(next),
      inRoom,
      now: String(this.clock.now()),
      channel: EVENTS_CHANNEL,
      ...(event && { event: JSON.stringify({ ...event, at, cause, recording: visiblePart(next) }) }),
    };
  }
}

function withHistory(row: Buffer, epoch: Buffer): RecordingWithHistory {
  const { recording, history } = readRow(row);
  return {
    recording,
    get history() {
      return history(epoch.toString());
    },
  };
}

/** What the step adds to the history. */
function entriesOf({ before, next, event, cause, at }: Commit): Omit<HistoryEntry, 'position'>[] {
  if (event === null) return [];
  return [{ ...event, version: next.version, at, cause, changes: changesBetween(before, next) }];
}

function commitResult(answer: readonly string[]): CommitResult {
  const [kind, first = '', second = ''] = answer;
  switch (kind) {
    case 'done':
      return { kind, position: second === '' ? null : { epoch: first, id: second } };
    case 'moved-on':
    case 'room-gone':
      return { kind };
    case 'slot-taken':
      return { kind, by: first as RecordingId };
    case 'key-used':
      return { kind, use: JSON.parse(first) as KeyUse };
    default:
      throw redisWasReset();
  }
}
