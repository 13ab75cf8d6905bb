import { constants, type BigIntStats } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, addAbortSignal } from 'node:stream';
import type { Clock } from '../kernel/clock.js';
import { isTallyError, type TallyError } from '../kernel/errors.js';
import { newToken } from '../kernel/ids.js';
import type { EgressOutput } from '../livekit/livekit.types.js';
import { listFolder } from './folder-listing.js';
import { ASIDE, assertObjectKey, parseSegmentKey } from './object-keys.js';
import { type ByteSpan, type DeleteResult, type ObjectInfo, ObjectStorage } from './object-storage.port.js';
import { describeFileFailure } from './file-faults.js';
import { type Asked, beyondEnd, failureName, storageUnavailable } from './storage-errors.js';

const LEFTOVER_AFTER_MS = 24 * 3_600_000;
/** For the user that runs this server, and an egress that runs as the same, alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const DELETES_AT_ONCE = 32;
const READ_CHUNK_BYTES = 256 * 1024;

/**
 * Objects as files of a folder. An egress that shares the disk writes its media there by itself.
 * Folders are not removed, since a recorder may just have made one to write into; but that of one recording's segments is,
 * with its last file.
 */
export class FileObjectStorage extends ObjectStorage {
  private prepared: Promise<void> | null = null;

  /** `folder` is absolute; it is made on first use. Once made, its absence is a failure and no empty storage. */
  constructor(
    private readonly folder: string,
    private readonly clock: Clock,
  ) {
    super();
  }

  async put(key: string, body: Buffer, _contentType: string): Promise<void> {
    await this.putAside(key, (handle) => handle.writeFile(body));
  }

  async write(key: string, body: Readable, _contentType: string, giveUp?: AbortSignal): Promise<number> {
    let written = 0;
    if (giveUp) addAbortSignal(giveUp, body);
    await this.putAside(key, async (handle) => {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        await handle.writeFile(chunk);
        written += chunk.length;
      }
    });
    return written;
  }

  /** Beside its place first, so that nobody ever sees a part of it. */
  private async putAside(key: string, fill: (handle: FileHandle) => Promise<void>): Promise<void> {
    const target = this.pathOf(key);
    const aside = join(this.folder, ASIDE, newToken());
    await this.asking({ verb: 'writing', of: key }, async () => {
      try {
        await this.writeAside(aside, fill);
        await makeFolders(this.folder, dirname(target));
        await rename(aside, target);
        await syncFolder(dirname(target));
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
    });
  }

  async get(key: string): Promise<Buffer | null> {
    const path = this.pathOf(key);
    return this.asking({ verb: 'reading', of: key }, async () => {
      const opened = await this.openFile(key, path);
      if (!opened) return null;
      try {
        return await opened.handle.readFile();
      } finally {
        await opened.handle.close();
      }
    });
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const path = this.pathOf(key);
    return this.asking({ verb: 'looking', of: key }, async () => {
      const seen = await orAbsent(stat(path, { bigint: true }));
      return seen?.isFile() ? toInfo(key, seen) : this.absent();
    });
  }

  async open(key: string, span?: ByteSpan): Promise<{ info: ObjectInfo; stream: Readable } | null> {
    const path = this.pathOf(key);
    return this.asking({ verb: 'opening', of: key }, async () => {
      const opened = await this.openFile(key, path);
      if (!opened) return null;
      const { handle, info } = opened;
      const start = span?.first ?? 0;
      // The file may still grow: what is promised is what was there when it was opened.
      const end = Math.min(span?.last ?? Infinity, info.sizeBytes - 1);
      if (end >= start) {
        return { info, stream: handle.createReadStream({ start, end, highWaterMark: READ_CHUNK_BYTES }) };
      }
      await handle.close();
      if (span) throw beyondEnd(start, info.sizeBytes);
      return { info, stream: Readable.from([]) };
    });
  }

  async deleteMany(keys: readonly string[]): Promise<Map<string, DeleteResult>> {
    const paths = new Map(keys.map((key) => [key, this.pathOf(key)]));
    const results = new Map<string, DeleteResult>();
    await this.asking({ verb: 'deleting' }, async () => {
      await this.assertFolder();
      const entries = [...paths];
      for (let i = 0; i < entries.length; i += DELETES_AT_ONCE) {
        const page = entries.slice(i, i + DELETES_AT_ONCE);
        const done = await Promise.all(page.map(([, path]) => deleteFile(path)));
        page.forEach(([key], n) => results.set(key, done[n] ?? notDeleted('NotConfirmed')));
      }
      const ofSegments = new Set(
        entries.flatMap(([key, path]) => (parseSegmentKey(key) === null ? [] : [dirname(path)])),
      );
      for (const folder of new Set([...paths.values()].map((path) => dirname(path)))) {
        const emptied = ofSegments.has(folder) && (await removeIfEmpty(folder));
        await orAbsent(syncFolder(emptied ? dirname(folder) : folder));
      }
    });
    return results;
  }

  async *list(prefix: string, after?: string): AsyncIterable<ObjectInfo> {
    await this.asking({ verb: 'listing', of: prefix }, () => this.assertFolder());
    try {
      for await (const { key, stats } of listFolder(this.folder, prefix, after)) yield toInfo(key, stats);
    } catch (error) {
      throw this.failed({ verb: 'listing', of: prefix }, error);
    }
    await this.asking({ verb: 'listing', of: prefix }, () => this.assertFolder());
  }

  get place(): string {
    return `the folder ${this.folder}`;
  }

  async notices(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async presign(): Promise<null> {
    return Promise.resolve(null);
  }

  egressOutput(key: string): EgressOutput {
    return { kind: 'file', filepath: this.pathOf(key) };
  }

  async check(): Promise<void> {
    const probe = join(this.folder, ASIDE, newToken());
    await this.asking({ verb: 'writing to its folder and reading it' }, async () => {
      await readdir(this.folder);
      try {
        await this.writeAside(probe, (handle) => handle.writeFile('tallylight'));
      } finally {
        await rm(probe, { force: true });
      }
    });
  }

  private pathOf(key: string): string {
    assertObjectKey(key);
    return join(this.folder, ...key.split('/'));
  }

  /** Every question to the disk goes through here: prepared first, and its failures named. */
  private async asking<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
    try {
      this.prepared ??= this.prepare();
      await this.prepared;
      return await work();
    } catch (error) {
      throw this.failed(asked, error);
    }
  }

  private failed(asked: Asked, error: unknown): TallyError {
    return isTallyError(error)
      ? error
      : storageUnavailable(asked, error, describeFileFailure(error, this.folder));
  }

  /** Makes the folder, and clears away what a process that was killed left half written. */
  private async prepare(): Promise<void> {
    try {
      await mkdir(join(this.folder, ASIDE), { recursive: true, mode: FOLDER_MODE });
      const old = this.clock.now() - LEFTOVER_AFTER_MS;
      for (const name of await readdir(join(this.folder, ASIDE))) {
        const path = join(this.folder, ASIDE, name);
        const seen = await orAbsent(stat(path));
        if (seen && seen.mtimeMs < old) await rm(path, { force: true });
      }
    } catch (error) {
      this.prepared = null;
      throw error;
    }
  }

  private async writeAside(path: string, fill: (handle: FileHandle) => Promise<void>): Promise<void> {
    // Not recursive: a storage folder that went away must not come back empty.
    await mkdir(dirname(path), FOLDER_MODE).catch((error: unknown) => {
      if (failureName(error) !== 'EEXIST') throw error;
    });
    const handle = await open(path, 'wx', FILE_MODE);
    try {
      await fill(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  private async openFile(
    key: string,
    path: string,
  ): Promise<{ handle: FileHandle; info: ObjectInfo } | null> {
    // Without O_NONBLOCK a pipe of that name would hold the caller for ever.
    const handle = await orAbsent(open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    if (!handle) return this.absent();
    try {
      const seen = await handle.stat({ bigint: true });
      if (seen.isFile()) return { handle, info: toInfo(key, seen) };
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return null;
  }

  /** "Not there" is said only of a folder that is there itself. */
  private async absent(): Promise<null> {
    await this.assertFolder();
    return null;
  }

  private async assertFolder(): Promise<void> {
    if (!(await stat(this.folder)).isDirectory()) {
      throw Object.assign(new Error('the storage folder is no folder'), { code: 'ENOTDIR' });
    }
  }
}

function toInfo(key: string, seen: BigIntStats): ObjectInfo {
  return {
    key,
    sizeBytes: Number(seen.size),
    etag: [seen.ino, seen.size, seen.mtimeNs].map((part) => part.toString(36)).join('-'),
    lastModifiedMs: Number(seen.mtimeMs),
  };
}

/** By which the disk says that a folder stays: there is something in it, or it is not ours to remove. */
const STAYS: readonly string[] = ['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EACCES', 'EPERM', 'EBUSY'];

/** Whether it is gone. */
async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (STAYS.includes(failureName(error))) return false;
    throw error;
  }
}

/** Undefined where the file system says that nothing of that name is there. */
async function orAbsent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(failureName(error))) return undefined;
    throw error;
  }
}

async function deleteFile(path: string): Promise<DeleteResult> {
  try {
    await orAbsent(unlink(path));
    return { deleted: true };
  } catch (error) {
    return notDeleted(failureName(error));
  }
}

function notDeleted(code: string): DeleteResult {
  return { deleted: false, code, why: `the storage folder refused to delete it (${code})` };
}

/**
 * The folders from the storage's own down to this one, each named durably in its parent. The storage's own is not made:
 * one that went away a moment ago must not come back empty, since an empty storage says that there is nothing.
 */
async function makeFolders(root: string, folder: string): Promise<void> {
  if (folder === root) return;
  try {
    await mkdir(folder, FOLDER_MODE);
  } catch (error) {
    if (failureName(error) === 'EEXIST') return;
    if (failureName(error) !== 'ENOENT' || dirname(folder) === root) throw error;
    await makeFolders(root, dirname(folder));
    return makeFolders(root, folder);
  }
  await syncFolder(dirname(folder));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
