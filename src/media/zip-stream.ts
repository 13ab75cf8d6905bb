import { addAbortSignal, Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  centralHeader,
  dataDescriptor,
  endOfArchive,
  localHeader,
  type WrittenEntry,
  type ZipEntry,
} from './zip-format.js';

/**
 * A ZIP of stored entries, made while it is read: one source is open at a time, and read no faster than the archive is.
 * A source that fails, or has another size than its entry says, fails the archive. `signal` frees the open source at
 * once, also while it is silent; destroying the stream alone frees it with its next byte.
 */
export function zipStream<E extends ZipEntry>(
  entries: readonly E[],
  open: (entry: E) => Promise<Readable>,
  signal: AbortSignal,
): Readable {
  return Readable.from(archive(entries, open, signal), { objectMode: false });
}

async function* archive<E extends ZipEntry>(
  entries: readonly E[],
  open: (entry: E) => Promise<Readable>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const written: WrittenEntry[] = [];
  let offset = 0;
  const at = (bytes: Buffer): Buffer => {
    offset += bytes.length;
    return bytes;
  };
  for (const entry of entries) {
    const start = offset;
    yield at(localHeader(entry));
    let crc = 0;
    for await (const chunk of content(entry, open, signal)) {
      crc = crc32(chunk, crc);
      yield at(chunk);
    }
    yield at(dataDescriptor(crc, entry.sizeBytes));
    written.push({ ...entry, crc, offset: start });
  }
  const directory = offset;
  for (const entry of written) yield at(centralHeader(entry));
  yield endOfArchive(written.length, directory, offset - directory);
}

async function* content<E extends ZipEntry>(
  entry: E,
  open: (entry: E) => Promise<Readable>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  let read = 0;
  try {
    const source = addAbortSignal(signal, await open(entry));
    for await (const chunk of source as AsyncIterable<Buffer>) {
      read += chunk.length;
      if (read > entry.sizeBytes) break;
      yield chunk;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${entry.name} broke off after ${read} of ${entry.sizeBytes} bytes: ${why}`, {
      cause: error,
    });
  }
  if (read !== entry.sizeBytes) throw new Error(`${entry.name} is not ${entry.sizeBytes} bytes long`);
}
