import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PictureShape } from './recorded-media.js';

type Mediabunny = typeof import('mediabunny');

export interface SegmentShape {
  readonly roomName: string;
  /** By the clock of the segments, s. */
  readonly startsAt: number;
  readonly seconds: number;
  /** Null: audio alone. */
  readonly picture: PictureShape | null;
}

/** Makes the bytes of one segment. */
export type MakeSegment = (shape: SegmentShape) => Promise<Buffer>;

const FPS = 15;
/** One frame of AAC that is silent, and what describes it: two channels of 48 kHz. */
const SILENCE = Uint8Array.of(0x21, 0, 0x49, 0x90, 2, 0x19, 0, 0x23, 0x80);
const SOUND = {
  decoderConfig: {
    ...{ codec: 'mp4a.40.2', sampleRate: 48_000, numberOfChannels: 2 },
    description: Uint8Array.of(0x11, 0x90),
  },
};
const SOUND_S = 1_024 / 48_000;

/** The pictures of one segment. */
export interface SegmentPictures {
  readonly decoderConfig: VideoDecoderConfig;
  /** In order, the first of them a key picture; times in s, by the clock of the segments. */
  readonly packets: Iterable<{
    readonly bytes: Uint8Array;
    readonly isKey: boolean;
    readonly at: number;
    readonly lasts: number;
  }>;
}

/** MPEG-TS of pictures, if any, and silence. */
export async function writeSegment(
  { startsAt, seconds }: Pick<SegmentShape, 'startsAt' | 'seconds'>,
  pictures: SegmentPictures | null,
): Promise<Buffer> {
  const media = await import('mediabunny');
  const output = new media.Output({
    format: new media.MpegTsOutputFormat(),
    target: new media.BufferTarget(),
  });
  const video = new media.EncodedVideoPacketSource('avc');
  const audio = new media.EncodedAudioPacketSource('aac');
  if (pictures) output.addVideoTrack(video);
  output.addAudioTrack(audio);
  await output.start();
  for (const { bytes, isKey, at, lasts } of pictures?.packets ?? []) {
    const packet = new media.EncodedPacket(bytes, isKey ? 'key' : 'delta', at, lasts);
    await video.add(packet, { decoderConfig: pictures?.decoderConfig });
  }
  const first = Math.ceil(startsAt / SOUND_S);
  for (let n = first; n * SOUND_S < startsAt + seconds || n === first; n += 1)
    await audio.add(new media.EncodedPacket(SILENCE, 'key', n * SOUND_S, SOUND_S), SOUND);
  await output.finalize();
  return Buffer.from(output.target.buffer ?? new ArrayBuffer(0));
}

interface Clip {
  readonly packets: readonly Uint8Array[];
  readonly decoderConfig: VideoDecoderConfig;
}

let clip: Promise<Clip> | null = null;

/** What plays, whatever was asked for: pictures of the recorded clip from its first one on, and silence. */
export const makeRealSegment: MakeSegment = async (shape) => {
  if (shape.picture === null) return writeSegment(shape, null);
  clip ??= readClip(await import('mediabunny'));
  const { packets, decoderConfig } = await clip;
  const { startsAt, seconds } = shape;
  const frames = Math.max(1, Math.round(seconds * FPS));
  const shown = packets.slice(0, frames).map((bytes, n) => ({
    ...{ bytes, isKey: n === 0 },
    // They last as long as the segment, however many there are.
    ...{ at: startsAt + (n * seconds) / frames, lasts: seconds / frames },
  }));
  return writeSegment(shape, { decoderConfig, packets: shown });
};

async function readClip(media: Mediabunny): Promise<Clip> {
  const bytes = readFileSync(join(__dirname, 'media', 'egress-composite.mp4'));
  const input = new media.Input({ formats: [media.MP4], source: new media.BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  const decoderConfig = await track?.getDecoderConfig();
  if (!track || !decoderConfig) throw new Error('the recorded clip has no picture');
  const packets: Uint8Array[] = [];
  for await (const packet of new media.EncodedPacketSink(track).packets()) packets.push(packet.data);
  input.dispose();
  return { packets, decoderConfig };
}
