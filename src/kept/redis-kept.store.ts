import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { ChainableCommander } from 'ioredis';
import { newToken } from '../kernel/ids.js';
import { keys } from '../redis/keys.js';
import { toScriptInput } from '../redis/redis-command.js';
import { redisWasReset, RebuildSuperseded } from '../redis/redis-was-reset.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { Script } from '../redis/script.js';
import {
  type Collection,
  type Kept,
  type KeptResult,
  type KeptStep,
  KeptStore,
  parseWriteName,
  type UnsavedWrite,
  writeName,
} from './kept.store.js';

const commitKept = new Script(join(__dirname, 'commit-kept.lua'));
const settleKept = new Script(join(__dirname, 'settle-kept.lua'));
const unsavedKept = new Script(join(__dirname, 'unsaved-kept.lua'));

@Injectable()
export class RedisKeptStore extends KeptStore {
  constructor(private readonly connections: RedisConnections) {
    super();
  }

  async get<T>(collection: Collection, id: string): Promise<Kept<T> | null> {
    const row = await this.read((whole) => whole.hget(keys.kept(collection), id));
    return typeof row === 'string' ? (JSON.parse(row) as Kept<T>) : null;
  }

  async find<T>(collection: Collection, handle: string): Promise<Kept<T> | null> {
    const id = await this.read((whole) => whole.hget(keys.keptHandles(collection), handle));
    const kept = typeof id === 'string' ? await this.get<T>(collection, id) : null;
    // A handle that was taken away between the two questions finds nothing any more.
    return kept?.handles.includes(handle) ? kept : null;
  }

  async all<T>(collection: Collection): Promise<Kept<T>[]> {
    const rows = (await this.read((whole) => whole.hvals(keys.kept(collection)))) as string[];
    return rows.map((row) => JSON.parse(row) as Kept<T>).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async commit<T>({ collection, id, before, next, also = [], most = 0 }: KeptStep<T>): Promise<KeptResult> {
    const rev = newToken();
    const handles = next?.handles ?? [];
    const others = toScriptInput(also);
    const answer = await commitKept.run(
      this.connections.command,
      [...this.keysOf(collection), ...others.keys],
      [
        id,
        before?.rev ?? '',
        rev,
        next === null ? '' : JSON.stringify({ id, rev, handles, doc: next.doc }),
        JSON.stringify(handles),
        JSON.stringify((before?.handles ?? []).filter((handle) => !handles.includes(handle))),
        writeName(collection, id, rev),
        '',
        others.commands,
        most,
      ],
    );
    if (answer === -1) throw redisWasReset();
    if (answer === 1) return { kind: 'done', rev };
    return { kind: answer === 2 ? 'too-many' : 'moved-on' };
  }

  async settle(
    collection: Collection,
    id: string,
    rev: string | null,
    writes: readonly string[],
  ): Promise<'settled' | 'moved-on'> {
    const answer = await settleKept.run(
      this.connections.command,
      [keys.kept(collection), keys.keptUnsaved()],
      [id, rev ?? '', ...writes],
    );
    return answer === 1 ? 'settled' : 'moved-on';
  }

  async unsaved(olderThanMs: number, limit: number): Promise<UnsavedWrite[]> {
    // It is looked for all the time, and most of the time there is none.
    if ((await this.connections.run((redis) => redis.exists(keys.keptUnsaved()))) === 0) return [];
    const names = (await unsavedKept.run(
      this.connections.command,
      [keys.keptUnsaved()],
      [olderThanMs, limit],
    )) as string[];
    return names.map(parseWriteName).filter((write) => write !== null);
  }

  async restore(
    collection: Collection,
    kept: Kept<unknown>,
    rebuild: string,
  ): Promise<'restored' | 'exists'> {
    const { id, rev, handles } = kept;
    const answer = await commitKept.run(this.connections.command, this.keysOf(collection), [
      id,
      '',
      rev,
      JSON.stringify(kept),
      JSON.stringify(handles),
      '[]',
      '',
      rebuild,
      '[]',
      0,
    ]);
    if (answer === -2) throw new RebuildSuperseded();
    return answer === 1 ? 'restored' : 'exists';
  }

  private keysOf(collection: Collection): string[] {
    return [
      keys.kept(collection),
      keys.keptHandles(collection),
      keys.keptUnsaved(),
      keys.epoch(),
      keys.rebuild(),
    ];
  }

  private async read(question: (whole: ChainableCommander) => ChainableCommander): Promise<unknown> {
    const [, answer] = await this.connections.readWhole(question);
    return answer;
  }
}
