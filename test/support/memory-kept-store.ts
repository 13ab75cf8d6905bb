import { newToken } from '../../src/kernel/ids.js';
import {
  type Collection,
  type Kept,
  type KeptResult,
  type KeptStep,
  KeptStore,
  type UnsavedWrite,
} from '../../src/kept/kept.store.js';

/** Kept documents in memory, alone in the world: nothing is ever unsaved. */
export class MemoryKeptStore extends KeptStore {
  private readonly rows = new Map<string, Kept<unknown>>();

  async get<T>(collection: Collection, id: string): Promise<Kept<T> | null> {
    return (this.rows.get(`${collection}/${id}`) as Kept<T> | undefined) ?? null;
  }

  async find<T>(collection: Collection, handle: string): Promise<Kept<T> | null> {
    return (await this.all<T>(collection)).find(({ handles }) => handles.includes(handle)) ?? null;
  }

  async all<T>(collection: Collection): Promise<Kept<T>[]> {
    const found = [...this.rows].filter(([key]) => key.startsWith(`${collection}/`));
    return found.map(([, kept]) => kept as Kept<T>).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  async commit<T>({ collection, id, before, next, most = 0 }: KeptStep<T>): Promise<KeptResult> {
    const key = `${collection}/${id}`;
    if ((this.rows.get(key)?.rev ?? null) !== (before?.rev ?? null)) return { kind: 'moved-on' };
    if (before === null && most > 0 && (await this.all(collection)).length >= most)
      return { kind: 'too-many' };
    const rev = newToken();
    if (next === null) this.rows.delete(key);
    else this.rows.set(key, { id, rev, handles: next.handles, doc: structuredClone(next.doc) });
    return { kind: 'done', rev };
  }

  async settle(): Promise<'settled'> {
    return 'settled';
  }

  async unsaved(): Promise<UnsavedWrite[]> {
    return [];
  }

  async restore(collection: Collection, kept: Kept<unknown>): Promise<'restored' | 'exists'> {
    const key = `${collection}/${kept.id}`;
    if (this.rows.has(key)) return 'exists';
    this.rows.set(key, kept);
    return 'restored';
  }
}
