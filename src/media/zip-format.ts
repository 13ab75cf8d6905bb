/** The records of a ZIP (APPNOTE 6.3), all in ZIP64 form, for entries that are stored and whose checksum comes after them. */

export interface ZipEntry {
  /** ASCII or not: it is written as UTF-8. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface WrittenEntry extends ZipEntry {
  readonly crc: number;
  readonly offset: number;
}

const ZIP64_VERSION = 45;
const MADE_BY_UNIX = (3 << 8) | ZIP64_VERSION;
/** Bit 3: the checksum follows the data; bit 11: names are UTF-8. */
const FLAGS = 0x0808;
const IN_ZIP64 = 0xffffffff;
const COUNT_IN_ZIP64 = 0xffff;
const REGULAR_FILE_644 = 0o100644 * 0x10000;

const LOCAL_BYTES = 30 + 20 + 9;
const DESCRIPTOR_BYTES = 24;
const CENTRAL_BYTES = 46 + 28 + 9;
const END_BYTES = 56 + 20 + 22;

/** The whole archive's length, known before its first byte. */
export function zipLength(entries: readonly ZipEntry[]): number {
  return entries.reduce(
    (sum, { name, sizeBytes }) =>
      sum + LOCAL_BYTES + CENTRAL_BYTES + DESCRIPTOR_BYTES + 2 * Buffer.byteLength(name) + sizeBytes,
    END_BYTES,
  );
}

export function localHeader({ name, sizeBytes, modifiedAtMs }: ZipEntry): Buffer {
  const { time, date } = dosTime(modifiedAtMs);
  const label = Buffer.from(name);
  // Sizes are known, and who reads it as a stream finds the entry's end by them.
  const extra = [u16(0x0001), u16(16), u64(sizeBytes), u64(sizeBytes), unixTime(modifiedAtMs)];
  return Buffer.concat([
    u32(0x04034b50),
    u16(ZIP64_VERSION),
    u16(FLAGS),
    u16(0),
    u16(time),
    u16(date),
    u32(0),
    u32(IN_ZIP64),
    u32(IN_ZIP64),
    u16(label.length),
    u16(lengthOf(extra)),
    label,
    ...extra,
  ]);
}

export function dataDescriptor(crc: number, sizeBytes: number): Buffer {
  return Buffer.concat([u32(0x08074b50), u32(crc), u64(sizeBytes), u64(sizeBytes)]);
}

export function centralHeader({ name, sizeBytes, modifiedAtMs, crc, offset }: WrittenEntry): Buffer {
  const { time, date } = dosTime(modifiedAtMs);
  const label = Buffer.from(name);
  const extra = [u16(0x0001), u16(24), u64(sizeBytes), u64(sizeBytes), u64(offset), unixTime(modifiedAtMs)];
  return Buffer.concat([
    u32(0x02014b50),
    u16(MADE_BY_UNIX),
    u16(ZIP64_VERSION),
    u16(FLAGS),
    u16(0),
    u16(time),
    u16(date),
    u32(crc),
    u32(IN_ZIP64),
    u32(IN_ZIP64),
    u16(label.length),
    u16(lengthOf(extra)),
    u16(0),
    u16(0),
    u16(0),
    u32(REGULAR_FILE_644),
    u32(IN_ZIP64),
    label,
    ...extra,
  ]);
}

/** The directory stands at `offset` and is `sizeBytes` long; this follows it and ends the archive. */
export function endOfArchive(count: number, offset: number, sizeBytes: number): Buffer {
  return Buffer.concat([
    u32(0x06064b50),
    u64(44),
    u16(MADE_BY_UNIX),
    u16(ZIP64_VERSION),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(sizeBytes),
    u64(offset),
    u32(0x07064b50),
    u32(0),
    u64(offset + sizeBytes),
    u32(1),
    u32(0x06054b50),
    u16(0),
    u16(0),
    u16(COUNT_IN_ZIP64),
    u16(COUNT_IN_ZIP64),
    u32(IN_ZIP64),
    u32(IN_ZIP64),
    u16(0),
  ]);
}

/** The instant exactly; the two-second field beside it knows no time zone and is filled with UTC. */
function unixTime(ms: number): Buffer {
  const seconds = Math.min(Math.max(Math.floor(ms / 1000), 0), 0x7fffffff);
  return Buffer.concat([u16(0x5455), u16(5), Buffer.from([1]), u32(seconds)]);
}

function dosTime(ms: number): { time: number; date: number } {
  const at = new Date(Math.min(Math.max(ms, Date.UTC(1980, 0, 1)), Date.UTC(2107, 11, 31)));
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
