/** An OGG file of silent Opus (RFC 7845): of any length, a page a second. */

const RATE = 48_000;
/** CELT, 20 ms, two channels, nothing in it. */
const SILENCE = Buffer.from([0xfc, 0xff, 0xfe]);
const PACKETS_A_PAGE = 50;
const SAMPLES_A_PACKET = RATE / 50;
const SERIAL = 0x7a11_1197;
const FIRST = 2;
const LAST = 4;

const HEAD = Buffer.concat([
  Buffer.from('OpusHead', 'latin1'),
  Buffer.from([1, 2, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0]),
]);
const TAGS = Buffer.concat([
  Buffer.from('OpusTags', 'latin1'),
  Buffer.from([4, 0, 0, 0]),
  Buffer.from('DEMO', 'latin1'),
  Buffer.from([0, 0, 0, 0]),
]);

export function oggBytes(durationMs: number): number {
  const packets = packetsOf(durationMs);
  const full = Math.floor(packets / PACKETS_A_PAGE);
  const rest = packets % PACKETS_A_PAGE;
  const page = (count: number): number => (count === 0 ? 0 : 27 + count * (1 + SILENCE.length));
  return 27 + 1 + HEAD.length + 27 + 1 + TAGS.length + full * page(PACKETS_A_PAGE) + page(rest);
}

export function* oggPages(durationMs: number): Generator<Buffer> {
  yield page(FIRST, 0n, 0, [HEAD]);
  yield page(0, 0n, 1, [TAGS]);
  const packets = packetsOf(durationMs);
  const samples = BigInt(Math.max(1, Math.round((durationMs * RATE) / 1_000)));
  for (let done = 0, number = 2; done < packets; number += 1) {
    const count = Math.min(PACKETS_A_PAGE, packets - done);
    done += count;
    const isLast = done === packets;
    // What the last packet has too much is cut off by where the file says that it ends.
    const position = isLast ? samples : BigInt(done * SAMPLES_A_PACKET);
    yield page(
      isLast ? LAST : 0,
      position,
      number,
      Array.from({ length: count }, () => SILENCE),
    );
  }
}

function packetsOf(durationMs: number): number {
  return Math.max(1, Math.ceil(durationMs / 20));
}

/** Its packets are shorter than 255 bytes. */
function page(flags: number, position: bigint, number: number, packets: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(27);
  header.write('OggS', 'latin1');
  header.writeUInt8(flags, 5);
  header.writeBigInt64LE(position, 6);
  header.writeUInt32LE(SERIAL, 14);
  header.writeUInt32LE(number, 18);
  header.writeUInt8(packets.length, 26);
  const bytes = Buffer.concat([header, Buffer.from(packets.map(({ length }) => length)), ...packets]);
  bytes.writeUInt32LE(checksum(bytes), 22);
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value >>> 0;
});

function checksum(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ (TABLE[((value >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  return value;
}
