import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, isErrno, StartFault } from '../kernel/start-fault.js';

/** The folder of everything the embedded stack keeps; for its owner alone, because keys are in it. */
export class KeptFolder {
  private constructor(readonly path: string) {}

  /** Throws StartFault where it can't be made or written. */
  static async open(path: string): Promise<KeptFolder> {
    await ensureWritable(path);
    await chmod(path, 0o700).catch((error: unknown) => {
      if (!isErrno(error, 'EPERM')) throw error;
    });
    return new KeptFolder(path);
  }

  async folder(name: string): Promise<string> {
    const path = join(this.path, name);
    await ensureWritable(path);
    return path;
  }

  /** What was kept under this name, made and written the first time. */
  async keep(name: string, make: () => string): Promise<string> {
    const path = join(this.path, name);
    try {
      const kept = (await readFile(path, 'utf8')).trim();
      if (kept !== '') return kept;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw unreadable(path, error);
    }
    const made = make();
    await writeFile(path, `${made}\n`, { mode: 0o600 });
    return made;
  }
}

/** Makes the folder where it isn't and tries to write in it. Throws StartFault. */
export async function ensureWritable(path: string): Promise<void> {
  const probe = join(path, '.writable');
  try {
    await mkdir(path, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    throw new StartFault(
      `The folder ${path} can not be written (${errnoOf(error) ?? 'unknown error'}): give this user the right to write there, or remove what is in its place.`,
      { cause: error },
    );
  }
}

function unreadable(path: string, error: unknown): StartFault {
  return new StartFault(
    `The file ${path} can not be read (${errnoOf(error) ?? 'unknown error'}): give this user the right to read it, or remove it to have a new one made.`,
    { cause: error },
  );
}
