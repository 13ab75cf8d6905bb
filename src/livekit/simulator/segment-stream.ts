import { posix } from 'node:path';
import type { EgressInfo } from '@livekit/protocol';
import type { SegmentOrder } from './egress-order.js';
import { faultDelay } from './faults.js';
import { type PictureShape, UploadRefused } from './recorded-media.js';
import type { RecorderSurroundings } from './recorder.types.js';
import type { Cancel } from './scheduler.js';

const LIVE_WINDOW = 5;
const USUAL_SECONDS = 4;
/** Between the tries to upload one, s; after the last the egress fails. */
const UPLOAD_AGAIN_S = [1, 2, 4];

interface Listed {
  readonly name: string;
  readonly seconds: number;
  readonly beganAt: number;
}

/** A stream that another process goes on with. */
export interface KeptSegments {
  readonly listed: readonly Listed[];
  readonly firstBegan: number;
  readonly count: number;
  readonly bytes: number;
}

/** The segments of one recording child: each is uploaded as soon as it is whole, and the two lists after it. */
export class SegmentStream {
  private readonly listed: Listed[] = [];
  private began = 0;
  private firstBegan = 0;
  private count = 0;
  private bytes = 0;
  private cancel: Cancel = () => undefined;
  private dead = false;
  private lists: Promise<void> = Promise.resolve();

  constructor(
    private readonly info: EgressInfo,
    private readonly order: SegmentOrder,
    /** Null: audio alone. */
    private readonly picture: PictureShape | null,
    private readonly around: RecorderSurroundings,
    /** An upload was refused for good: the egress ends. */
    private readonly onRefused: (error: string) => void,
  ) {}

  begin(): void {
    this.began = this.firstBegan = this.now();
    this.next();
  }

  keep(): KeptSegments {
    const { listed, firstBegan, count, bytes } = this;
    return { listed, firstBegan, count, bytes };
  }

  /** Goes on with the next one, from now on. */
  resume({ listed, firstBegan, count, bytes }: KeptSegments): void {
    this.listed.push(...listed);
    this.firstBegan = firstBegan;
    this.count = count;
    this.bytes = bytes;
    this.began = this.now();
    this.next();
  }

  /** The last one, of whatever length, and the end of the lists. Resolves when all that can be is uploaded. */
  async end(): Promise<void> {
    this.cancel();
    if (this.now() > this.began) this.cut();
    await this.lists;
    if (!this.dead && this.listed.length > 0) await this.writeLists(true).catch(() => undefined);
  }

  /** Killed, or its pipeline stands still: what is not uploaded is lost. */
  stop(): void {
    this.dead = true;
    this.cancel();
  }

  private get lengthMs(): number {
    return (this.order.seconds || USUAL_SECONDS) * 1_000 * this.around.timings.scale;
  }

  private next(): void {
    if (this.dead) return;
    this.cancel = this.around.scheduler.after(this.began + this.lengthMs - this.now(), () => {
      this.cut();
      this.next();
    });
  }

  private cut(): void {
    const listed = {
      name: `${posix.basename(this.order.filenamePrefix)}_${String(this.count).padStart(5, '0')}.ts`,
      seconds: (this.now() - this.began) / 1_000,
      beganAt: this.began,
    };
    this.began = this.now();
    this.count += 1;
    // Uploads go on side by side; a list names only what is there, in its order.
    const uploaded = this.upload(listed);
    this.lists = this.lists.then(async () => {
      if (!(await uploaded) || this.dead) return;
      this.listed.push(listed);
      await this.writeLists(false).catch((error: unknown) => this.fail(error));
    });
  }

  private async upload(listed: Listed): Promise<boolean> {
    const { faults, timings, scheduler, makeSegment } = this.around;
    const slow = faults.strike('segments-slow', this.info.roomName);
    const bytes = await makeSegment({
      roomName: this.info.roomName,
      startsAt: (listed.beganAt - this.firstBegan) / 1_000,
      seconds: listed.seconds,
      picture: this.picture,
    });
    if (slow) await scheduler.pause(faultDelay(slow, 'slowUploadMs', timings));
    for (const pauseS of [...UPLOAD_AGAIN_S, null]) {
      if (this.dead) return false;
      try {
        await this.write(listed.name, bytes);
        this.bytes += bytes.length;
        return true;
      } catch (error) {
        if (!(error instanceof UploadRefused) || pauseS === null) {
          this.fail(error);
          return false;
        }
        await scheduler.pause(pauseS * 1_000 * timings.scale);
      }
    }
    return false;
  }

  private fail(error: unknown): void {
    if (this.dead) return;
    this.stop();
    this.onRefused(error instanceof Error ? error.message : String(error));
  }

  private async writeLists(isOver: boolean): Promise<void> {
    const { playlistName, livePlaylistName } = this.order;
    const all = this.playlist(this.listed, isOver, '#EXT-X-PLAYLIST-TYPE:EVENT\n');
    if (playlistName !== '') await this.write(posix.basename(playlistName), all);
    const last = this.playlist(this.listed.slice(-LIVE_WINDOW), isOver, '');
    if (livePlaylistName !== '') await this.write(posix.basename(livePlaylistName), last);
    for (const shown of this.info.segmentResults) {
      shown.segmentCount = BigInt(this.listed.length);
      shown.size = BigInt(this.bytes);
      shown.playlistLocation =
        shown.playlistName && this.around.uploader.locationOf(this.order, shown.playlistName);
      shown.livePlaylistLocation =
        shown.livePlaylistName && this.around.uploader.locationOf(this.order, shown.livePlaylistName);
    }
  }

  private playlist(listed: readonly Listed[], isOver: boolean, type: string): Buffer {
    const from = this.listed.length - listed.length;
    const target = Math.max(1, Math.ceil(Math.max(...listed.map(({ seconds }) => seconds))));
    const lines = listed.map(
      ({ name, seconds, beganAt }) =>
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(beganAt).toISOString()}\n#EXTINF:${seconds.toFixed(3)},\n${name}\n`,
    );
    return Buffer.from(
      `#EXTM3U\n#EXT-X-VERSION:4\n${type}#EXT-X-ALLOW-CACHE:NO\n#EXT-X-TARGETDURATION:${target}\n` +
        `#EXT-X-MEDIA-SEQUENCE:${from}\n${lines.join('')}${isOver ? '#EXT-X-ENDLIST\n' : ''}`,
    );
  }

  private write(name: string, bytes: Buffer): Promise<void> {
    const path = posix.join(posix.dirname(this.order.filenamePrefix), name);
    return this.around.uploader.put(this.order, path, bytes);
  }

  private now(): number {
    return this.around.scheduler.clock.now();
  }
}
