import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Says of a piece of work from what it was made: as long as that is the same, it is not made again. */
export function isDone(stampFile, digest) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === digest;
}

export function markDone(stampFile, digest) {
  writeFileSync(stampFile, digest);
}

/** A digest over the names and contents of files and whole folders, in a fixed order. */
export function digestOf(paths, { unless = () => false } = {}) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesIn(path))) {
    if (unless(file)) continue;
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/** Every file in a folder, in a fixed order; the file itself where it is one. */
export function filesIn(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .toSorted()
    .flatMap((name) => (name === 'node_modules' ? [] : filesIn(join(path, name))));
}
