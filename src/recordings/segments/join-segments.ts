import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { movieHead, TrackTable } from './mp4-tables.js';
import { type Kind, KINDS, type Mediabunny, type ReadSegment, readSegment } from './read-segment.js';

/** One segment of a recording, MPEG-TS, small enough to be held in memory. */
export interface Segment {
  readonly name: string;
  /** Null: it is not there. What can't be asked throws, and ends the join: that is never "not there". */
  read(): Promise<Uint8Array | null>;
}

export interface JoinedMedia {
  readonly sizeBytes: number;
  readonly durationMs: number;
  /** How many segments are in it. */
  readonly joined: number;
  /** What is not in it, in the order of the segments. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
  /** What is missing between its segments by their own clock: at which instant of the file, and how much. The file goes on without a pause. */
  readonly gaps: readonly { readonly atMs: number; readonly lostMs: number }[];
}

/** Thrown where there is no segment that could be joined. */
export class NothingToJoin extends Error {
  constructor(readonly skipped: JoinedMedia['skipped']) {
    super(`none of ${skipped.length} segments can be joined`);
    this.name = 'NothingToJoin';
  }
}

/** Neighbours are cut where the picture allows it, which is some frames beside where the sound does. */
const GAP_FROM_S = 0.25;
/** Rounded times may overlap by so little. */
const OVERLAP_FROM_S = 0.02;

/**
 * Makes one MP4 that plays from its beginning on ("fast start") of the segments of one egress, in their order, without encoding
 * anything again: `target`, a file that is replaced. What is torn is skipped and named; where something is missing, the file goes on
 * without a pause. One segment is in memory at a time, besides some twenty bytes for each frame; the segments are read once, and
 * their samples lie in a file beside `target` meanwhile. Throws NothingToJoin, what a segment's `read` throws, and the reason of `signal`.
 */
export async function joinSegments(
  segments: Iterable<Segment> | AsyncIterable<Segment>,
  target: string,
  signal?: AbortSignal,
): Promise<JoinedMedia> {
  const spoolPath = `${target}.samples`;
  const spool = await open(spoolPath, 'w+', 0o600);
  try {
    // A megabyte of code that most processes never need.
    const join = new Join(await import('mediabunny'), spool);
    for await (const segment of segments) {
      signal?.throwIfAborted();
      await join.take(segment);
    }
    const head = join.head();
    const sizeBytes = await concatenate(target, head, spoolPath, signal);
    const { joined, skipped, gaps, durationMs } = join;
    return { sizeBytes, durationMs, joined, skipped, gaps };
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    await spool.close();
    await rm(spoolPath, { force: true });
  }
}

/** Which segments are joined, and where in the file and in time each of them goes. */
class Join {
  joined = 0;
  readonly skipped: { name: string; why: string }[] = [];
  readonly gaps: { atMs: number; lostMs: number }[] = [];
  private readonly tables = new Map<Kind, TrackTable>();
  /** By the segments' clock, in s: after the last one. */
  private readonly ends = new Map<Kind, number>();
  private first: ReadSegment | null = null;
  /** What is added to the segments' times, in s. */
  private shift = 0;
  private bytes = 0;

  constructor(
    private readonly media: Mediabunny,
    private readonly spool: FileHandle,
  ) {}

  get durationMs(): number {
    return Math.round(Math.max(0, ...[...this.tables.values()].map(({ endsAt }) => endsAt)) * 1_000);
  }

  async take({ name, read }: Segment): Promise<void> {
    const bytes = await read();
    const found = bytes === null ? 'it is not there' : await readSegment(this.media, bytes);
    const why = typeof found === 'string' ? found : this.misfit(found);
    if (why !== null || typeof found === 'string') {
      this.skipped.push({ name, why: why ?? 'it can not be read' });
      return;
    }
    this.first ??= found;
    this.place(found);
    await this.append(found);
    this.joined += 1;
  }

  /** What stands before the samples. */
  head(): Buffer {
    if (this.first === null) throw new NothingToJoin(this.skipped);
    const tables = KINDS.flatMap((kind) => this.tables.get(kind) ?? []);
    return movieHead(this.first.ftyp, this.first.mvhdTail, tables, this.bytes);
  }

  private misfit({ format }: ReadSegment): string | null {
    const known = this.first?.format ?? format;
    return format === known ? null : `it is encoded otherwise than the first one`;
  }

  /** Right after what is there, unless the two overlap or part only in how their tracks were cut. */
  private place({ tracks }: ReadSegment): void {
    const starts = new Map(
      [...tracks].map(([kind, { samples }]) => [kind, Math.min(...samples.map(({ pts }) => pts))]),
    );
    if (this.ends.size === 0) this.shift = -Math.min(...starts.values());
    else {
      const apart = Math.min(...[...starts].map(([kind, from]) => from - (this.ends.get(kind) ?? from)));
      if (apart > GAP_FROM_S) this.gaps.push({ atMs: this.durationMs, lostMs: Math.round(apart * 1_000) });
      if (apart > GAP_FROM_S || apart < -OVERLAP_FROM_S) this.shift -= apart;
    }
    for (const [kind, { samples }] of tracks)
      this.ends.set(kind, Math.max(...samples.map(({ pts, duration }) => pts + duration)));
  }

  private async append({ tracks }: ReadSegment): Promise<void> {
    const pieces: Uint8Array[] = [];
    for (const [kind, { samples, form }] of tracks) {
      const table = this.tables.get(kind) ?? new TrackTable(form);
      this.tables.set(kind, table);
      // In the order of decoding they are shown in another order where pictures refer to later ones.
      const shown = samples.map(({ pts }) => pts).sort((a, b) => a - b);
      table.addChunk(
        this.bytes,
        samples.map(({ data, pts, isKey }, i) => ({
          ...{ size: data.length, isKey },
          dts: Math.max(0, (shown[i] ?? pts) + this.shift),
          pts: Math.max(0, pts + this.shift),
        })),
      );
      for (const { data } of samples) {
        pieces.push(data);
        this.bytes += data.length;
      }
    }
    await this.spool.appendFile(Buffer.concat(pieces));
  }
}

/** Answers the size of the whole. */
async function concatenate(
  target: string,
  head: Buffer,
  rest: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const file = await open(target, 'w', 0o600);
  try {
    await file.write(head);
    let bytes = head.length;
    for await (const chunk of createReadStream(rest, { highWaterMark: 1024 * 1024, signal })) {
      await file.write(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}
