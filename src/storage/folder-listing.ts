import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ASIDE } from './object-keys.js';
import { failureName } from './storage-errors.js';

const PAGE = 64;

export interface ListedFile {
  readonly key: string;
  readonly stats: BigIntStats;
}

interface Entry {
  readonly key: string;
  readonly stats: BigIntStats | null;
}

/**
 * The files below `root` whose keys begin with `prefix` and stand after `after`, in the order of keys. One folder's names are held at a time
 * (and those of the folders above it), and looked at page by page. What vanishes meanwhile is left out.
 */
export async function* listFolder(root: string, prefix: string, after = ''): AsyncGenerator<ListedFile> {
  const within = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const segments = within.split('/').slice(0, -1);
  if (/[\\\0]/.test(prefix) || segments.some((s) => s === '' || s === '.' || s === '..')) return;
  yield* walk(root, within, { prefix, after });
}

/** Which keys are asked for; `after` is empty for all that begin with the prefix. */
interface Wanted {
  readonly prefix: string;
  readonly after: string;
}

async function* walk(root: string, folderKey: string, wanted: Wanted): AsyncGenerator<ListedFile> {
  const { prefix, after } = wanted;
  const names = await namesOf(join(root, folderKey));
  const keys = names
    // A folder sorts by the key of what is in it: `a.json` stands before `a/b`.
    .map((entry) => folderKey + entry.name + (entry.isDirectory() ? '/' : ''))
    .filter((key) => key !== `${ASIDE}/` && (key.endsWith('/') || key.startsWith(prefix)))
    .filter((key) => key.startsWith(prefix) || prefix.startsWith(key))
    .filter((key) => key > after || (key.endsWith('/') && after.startsWith(key)))
    .sort(byCodeUnits);
  for (let i = 0; i < keys.length; i += PAGE) {
    for (const { key, stats } of await Promise.all(keys.slice(i, i + PAGE).map((k) => look(root, k)))) {
      if (key.endsWith('/')) yield* walk(root, key, wanted);
      else if (stats?.isFile()) yield { key, stats };
    }
  }
}

async function namesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

async function look(root: string, key: string): Promise<Entry> {
  if (key.endsWith('/')) return { key, stats: null };
  try {
    return { key, stats: await stat(join(root, key), { bigint: true }) };
  } catch (error) {
    if (isAbsence(error)) return { key, stats: null };
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(failureName(error));
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
