import { execFile } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { SystemClock } from '../../src/kernel/clock.js';
import { newRecordingId } from '../../src/kernel/ids.js';
import { FileObjectStorage } from '../../src/storage/file-object-storage.js';
import type { ObjectInfo } from '../../src/storage/object-storage.port.js';
import { eventually } from '../support/eventually.js';

const clock = new SystemClock();
const unavailable = { code: 'STORAGE_UNAVAILABLE' };

describe('a folder as storage', () => {
  let folder: string;
  let storage: FileObjectStorage;
  const listed = async (prefix: string): Promise<string[]> => {
    const all: ObjectInfo[] = [];
    for await (const info of storage.list(prefix)) all.push(info);
    return all.map((info) => info.key);
  };
  const filesHeldOpen = async (): Promise<string[]> => {
    const fds = await readdir('/proc/self/fd');
    const targets = await Promise.all(
      fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch((error: unknown) => String(error))),
    );
    return targets.filter((target) => target.startsWith(folder));
  };

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'tallylight-folder-')), 'storage');
    storage = new FileObjectStorage(folder, clock);
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  it('is for its owner alone', async () => {
    await storage.put('recordings/room/rec.json', Buffer.from('{}'), 'application/json');
    const modeOf = async (path: string): Promise<number> => (await stat(join(folder, path))).mode & 0o777;
    expect(await modeOf('recordings/room/rec.json')).toBe(0o600);
    for (const path of ['', 'recordings', 'recordings/room']) expect(await modeOf(path)).toBe(0o700);
  });

  it('shows what an egress wrote there by itself', async () => {
    const output = storage.egressOutput('recordings/room/rec.mp4');
    if (output.kind !== 'file') throw new Error(`an output of kind ${output.kind}`);
    expect(output.filepath).toBe(join(folder, 'recordings/room/rec.mp4'));
    await mkdir(join(output.filepath, '..'), { recursive: true });
    await writeFile(output.filepath, 'media');
    expect(await listed('recordings/')).toEqual(['recordings/room/rec.mp4']);
    expect((await storage.head('recordings/room/rec.mp4'))?.sizeBytes).toBe(5);
  });

  it('has no folder left of the segments of a recording once the last of them is deleted', async () => {
    const id = newRecordingId(1);
    const keys = ['part_00000.ts', 'part_00001.ts'].map((name) => `recordings/room/${id}/${name}`);
    for (const key of keys) await storage.put(key, Buffer.from('segment'), 'video/mp2t');
    await storage.deleteMany(keys.slice(0, 1));
    expect(await readdir(join(folder, 'recordings/room'))).toEqual([id]);
    await storage.deleteMany(keys);
    expect(await readdir(join(folder, 'recordings/room'))).toEqual([]);
  });

  it('leaves nothing aside, neither after a write nor after one that failed', async () => {
    await storage.put('a/b.json', Buffer.from('{}'), 'application/json');
    await expect(storage.put('a', Buffer.from('{}'), 'application/json')).rejects.toMatchObject(unavailable);
    await expect(storage.put('a/b.json/c', Buffer.from('{}'), 'text/plain')).rejects.toMatchObject(
      unavailable,
    );
    expect(await readdir(join(folder, '.tmp'))).toEqual([]);
    expect(await readFile(join(folder, 'a/b.json'), 'utf8')).toBe('{}');
  });

  it('never brings back a folder that went away while something was written', async () => {
    await storage.put('a/b.json', Buffer.from('{}'), 'application/json');
    for (let round = 0; round < 60; round++) {
      const writing = Array.from({ length: 20 }, (_, i) =>
        storage.put(`new-${round}/${i}/c.json`, Buffer.from('{}'), 'text/plain'),
      );
      const settled = Promise.allSettled(writing);
      // A little later in each round, so that every step of a write is met by some.
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
      await rename(folder, `${folder}-aside`);
      await settled;
      expect(await readdir(join(folder, '..'))).not.toContain('storage');
      await rename(`${folder}-aside`, folder);
    }
  });

  it('never lists what is still being written, and clears away what a killed process left', async () => {
    const aside = join(folder, '.tmp');
    await mkdir(aside, { recursive: true });
    await writeFile(join(aside, 'old'), 'half');
    await writeFile(join(aside, 'young'), 'half');
    const twoDaysAgo = new Date(clock.now() - 2 * 86_400_000);
    await utimes(join(aside, 'old'), twoDaysAgo, twoDaysAgo);
    await storage.put('a.json', Buffer.from('{}'), 'application/json');
    expect(await listed('')).toEqual(['a.json']);
    expect(await readdir(aside)).toEqual(['young']);
  });

  it('reads a file whole that is replaced while it is read', async () => {
    const before = 'a'.repeat(3_000_000);
    await storage.put('big', Buffer.from(before), 'text/plain');
    const opened = await storage.open('big');
    await storage.put('big', Buffer.from('b'.repeat(10)), 'text/plain');
    expect(opened && (await text(opened.stream))).toBe(before);
  });

  it('promises of a growing file what was there when it was opened', async () => {
    const { filepath } = storage.egressOutput('growing');
    await storage.check();
    await writeFile(filepath, 'x'.repeat(100));
    const opened = await storage.open('growing');
    await writeFile(filepath, 'x'.repeat(500), { flag: 'a' });
    expect(opened && (await text(opened.stream))).toHaveLength(opened?.info.sizeBytes ?? NaN);
  });

  it('closes the file as soon as its stream is destroyed, read or not', async () => {
    await storage.put('big', Buffer.alloc(3_000_000), 'video/mp4');
    const unread = await storage.open('big');
    const halfRead = await storage.open('big', { first: 10, last: 2_000_000 });
    await halfRead?.stream.iterator({ destroyOnReturn: false }).next();
    expect(await filesHeldOpen()).toHaveLength(2);
    unread?.stream.destroy();
    halfRead?.stream.destroy();
    await eventually(async () => (await filesHeldOpen()).length === 0 || 'the files are still open');
  });

  it('says that it failed, and never that nothing is there, once the folder is gone', async () => {
    await storage.put('a.json', Buffer.from('{}'), 'application/json');
    await rename(folder, `${folder}-unmounted`);
    await expect(storage.get('a.json')).rejects.toMatchObject(unavailable);
    await expect(storage.head('a.json')).rejects.toMatchObject(unavailable);
    await expect(storage.open('a.json')).rejects.toMatchObject(unavailable);
    await expect(listed('')).rejects.toMatchObject(unavailable);
    await expect(storage.deleteMany(['a.json'])).rejects.toMatchObject(unavailable);
    await expect(storage.put('b.json', Buffer.from('{}'), 'text/plain')).rejects.toMatchObject(unavailable);
    await expect(storage.check()).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('its folder is gone'),
      cause: { message: expect.stringMatching(/STORAGE_URL names: ENOENT; bring back the folder/) },
    });
    await rename(`${folder}-unmounted`, folder);
    expect(await storage.get('a.json')).toEqual(Buffer.from('{}'));
  });

  it('names no path of the machine in its failures', async () => {
    await storage.put('a.json', Buffer.from('{}'), 'application/json');
    const failure = await storage.put('a.json/b', Buffer.from('x'), 'text/plain').catch(String);
    expect(failure).toContain('where a folder should');
    expect(failure).not.toContain('a.json/b');
    expect(failure).not.toContain(folder);
  });

  it('tells for each key whether it was deleted', async () => {
    await storage.put('a/b', Buffer.from('x'), 'text/plain');
    await storage.put('c', Buffer.from('x'), 'text/plain');
    const results = await storage.deleteMany(['a', 'c']);
    expect(results.get('a')).toMatchObject({ deleted: false, code: expect.stringMatching(/^E[A-Z]+$/) });
    expect(results.get('c')).toEqual({ deleted: true });
    expect(await listed('')).toEqual(['a/b']);
  });

  it('does not wait for a pipe that bears an object’s name', async () => {
    await storage.check();
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
    expect(await storage.get('pipe')).toBeNull();
    expect(await storage.open('pipe')).toBeNull();
    expect(await listed('')).toEqual([]);
  });

  it('lists a large folder in order while it is being emptied', async () => {
    await mkdir(join(folder, 'recordings/room'), { recursive: true });
    const names = Array.from(
      { length: 2_000 },
      (_, n) => `recordings/room/${String(n).padStart(5, '0')}.mp4`,
    );
    for (const name of names) await writeFile(join(folder, name), '');
    const seen: string[] = [];
    for await (const { key } of storage.list('recordings/')) {
      seen.push(key);
      if (seen.length === 1) await storage.deleteMany(names.slice(1_000));
    }
    expect(seen).toEqual(names.slice(0, 1_000));
  });
});
