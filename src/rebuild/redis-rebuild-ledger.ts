import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { newToken } from '../kernel/ids.js';
import { keys, QUEUE_PREFIX, TAG } from '../redis/keys.js';
import { RebuildSuperseded } from '../redis/redis-was-reset.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { Script } from '../redis/script.js';
import {
  RebuildLedger,
  type RebuildPhase,
  type RebuildProgress,
  type RebuildRun,
  type RebuildState,
} from './rebuild-ledger.port.js';

const beginRebuild = new Script(join(__dirname, 'begin-rebuild.lua'));
const stepRebuild = new Script(join(__dirname, 'step-rebuild.lua'));
const AT_ONCE = 1_000;

/** Rows, and what is made of them. Queues stay but for the timers, of which each recording has its own. */
const OF_ROWS = ['recording', 'slot', 'index', 'room', 'silence', 'sweep-sights', 'breaker', 'kept'].map(
  (kind) => `${TAG}:${kind}:`,
);
const TIMERS = `${QUEUE_PREFIX}:timers:`;
const WHOLE_KEYS: ReadonlySet<string> = new Set([
  ...[keys.slots(), keys.unsettled(), keys.events(), keys.eventsFloor(), keys.outbox(), keys.heard()],
  ...[keys.recorderNotes('seen'), keys.recorderNotes('left'), keys.recorderNotes('nudged')],
  ...[keys.rooms(), keys.roomNames(), keys.roomChanges(), keys.unsavedRooms()],
]);

@Injectable()
export class RedisRebuildLedger extends RebuildLedger {
  constructor(
    private readonly connections: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async state(): Promise<RebuildState> {
    if ((await this.connections.run((redis) => redis.exists(keys.epoch()))) === 1) return { whole: true };
    // The run is read first: one that ends in between has set the epoch by then.
    const [fields, whole] = await this.connections.pipeline((all) =>
      all.hgetall(keys.rebuild()).exists(keys.epoch()),
    );
    if (whole === 1) return { whole: true };
    const run = fields as Record<string, string>;
    return { whole: false, run: run.phase === undefined ? null : runOf(run) };
  }

  async begin(): Promise<RebuildRun | null> {
    const token = newToken();
    const answer = await beginRebuild.run(this.connections.command, this.keys, [
      token,
      newToken(),
      this.clock.now(),
    ]);
    if (answer === null) return null;
    const flat = answer as string[];
    const fields: Record<string, string> = {};
    for (let i = 0; i < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
    return { ...runOf(fields), token, epoch: fields.epoch ?? '' };
  }

  async clear(run: RebuildRun): Promise<void> {
    for (let cursor = '0'; ;) {
      const [next, found] = await this.connections.run(() =>
        this.connections.owner.scan(cursor, 'MATCH', `${TAG}:*`, 'COUNT', AT_ONCE),
      );
      const theirs = found.filter(isOfRows);
      if (theirs.length > 0) await this.step(run, ['clear'], theirs);
      if (next === '0') return;
      cursor = next;
    }
  }

  async note(run: RebuildRun, progress: Partial<RebuildProgress>): Promise<void> {
    const fields = Object.entries(progress).flatMap(([name, value]) => [name, String(value ?? '')]);
    await this.step(run, ['note', ...fields]);
  }

  async finish(run: RebuildRun): Promise<void> {
    await this.step(run, ['finish']);
  }

  async discard(): Promise<void> {
    await this.connections.run((redis) => redis.del(keys.epoch()));
  }

  private get keys(): string[] {
    return [keys.epoch(), keys.rebuild()];
  }

  private async step(run: RebuildRun, args: readonly string[], more: readonly string[] = []): Promise<void> {
    const answer = await stepRebuild.run(
      this.connections.command,
      [...this.keys, ...more],
      [run.token, ...args],
    );
    if (answer !== 1) throw new RebuildSuperseded();
  }
}

function isOfRows(key: string): boolean {
  return WHOLE_KEYS.has(key) || key.startsWith(TIMERS) || OF_ROWS.some((prefix) => key.startsWith(prefix));
}

function runOf(fields: Readonly<Record<string, string>>): RebuildProgress & { readonly startedAt: number } {
  const number = (name: string): number => Number(fields[name] ?? 0);
  return {
    phase: (fields.phase ?? 'clear') as RebuildPhase,
    after: fields.after ?? '',
    rooms: number('rooms'),
    recordings: number('recordings'),
    faults: number('faults'),
    total: fields.total ? Number(fields.total) : null,
    problem: fields.problem || null,
    startedAt: number('startedAt'),
  };
}
