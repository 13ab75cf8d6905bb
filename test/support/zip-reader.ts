import { crc32 } from 'node:zlib';

export interface ReadEntry {
  readonly name: string;
  readonly content: Buffer;
  readonly modifiedAtMs: number;
}

/** Reads a ZIP64 archive of stored entries by its directory, and throws at whatever in it contradicts itself. */
export function readZip(zip: Buffer): ReadEntry[] {
  const end = zip.length - 22;
  same('end', zip.readUInt32LE(end), 0x06054b50);
  same('locator', zip.readUInt32LE(end - 20), 0x07064b50);
  const end64 = u64(zip, end - 12);
  same('zip64 end', zip.readUInt32LE(end64), 0x06064b50);
  const count = u64(zip, end64 + 32);
  let at = u64(zip, end64 + 48);
  same('directory end', at + u64(zip, end64 + 40), end64);
  let dataEnd = 0;
  const entries: ReadEntry[] = [];
  for (let n = 0; n < count; n += 1) {
    same('central header', zip.readUInt32LE(at), 0x02014b50);
    const nameBytes = zip.readUInt16LE(at + 28);
    const extra = zip.subarray(at + 46 + nameBytes, at + 46 + nameBytes + zip.readUInt16LE(at + 30));
    const name = zip.toString('utf8', at + 46, at + 46 + nameBytes);
    const zip64 = extraField(extra, 1);
    const [size, stored, offset] = [u64(zip64, 0), u64(zip64, 8), u64(zip64, 16)];
    same(`${name} stored size`, stored, size);
    same(`${name} offset`, offset, dataEnd);
    const content = localContent(zip, offset, name, size);
    same(`${name} checksum`, crc32(content), zip.readUInt32LE(at + 16));
    dataEnd = content.byteOffset - zip.byteOffset + size + 24;
    same(`${name} descriptor`, zip.readUInt32LE(dataEnd - 24), 0x08074b50);
    same(`${name} descriptor checksum`, zip.readUInt32LE(dataEnd - 20), zip.readUInt32LE(at + 16));
    same(`${name} descriptor size`, u64(zip, dataEnd - 8), size);
    entries.push({ name, content, modifiedAtMs: extraField(extra, 0x5455).readUInt32LE(1) * 1000 });
    at += 46 + nameBytes + extra.length;
  }
  same('end of the directory', at, end64);
  return entries;
}

function localContent(zip: Buffer, offset: number, name: string, size: number): Buffer {
  same(`${name} local header`, zip.readUInt32LE(offset), 0x04034b50);
  same(`${name} method`, zip.readUInt16LE(offset + 8), 0);
  const nameBytes = zip.readUInt16LE(offset + 26);
  const extraBytes = zip.readUInt16LE(offset + 28);
  same('local name', zip.toString('utf8', offset + 30, offset + 30 + nameBytes), name);
  const start = offset + 30 + nameBytes + extraBytes;
  same(`${name} local size`, u64(extraField(zip.subarray(start - extraBytes, start), 1), 0), size);
  return zip.subarray(start, start + size);
}

function extraField(extra: Buffer, id: number): Buffer {
  for (let at = 0; at < extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  throw new Error(`the extra field ${id} is missing`);
}

function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function same(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what} is ${String(found)} and not ${String(expected)}`);
}
