import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Mediabunny = typeof import('mediabunny');

export interface SegmentShape {
  /** By the clock of the segments, s. */
  readonly startsAt: number;
  readonly seconds: number;
  readonly audioOnly: boolean;
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

interface Pictures {
  readonly packets: readonly Uint8Array[];
  readonly decoderConfig: VideoDecoderConfig;
}

let pictures: Promise<Pictures> | null = null;

/** MPEG-TS that plays: pictures of the recorded clip from its first one on, and silence. */
export const makeRealSegment: MakeSegment = async ({ startsAt, seconds, audioOnly }) => {
  const media = await import('mediabunny');
  const output = new media.Output({
    format: new media.MpegTsOutputFormat(),
    target: new media.BufferTarget(),
  });
  const video = new media.EncodedVideoPacketSource('avc');
  const audio = new media.EncodedAudioPacketSource('aac');
  if (!audioOnly) output.addVideoTrack(video);
  output.addAudioTrack(audio);
  await output.start();
  if (!audioOnly) {
    pictures ??= clipPictures(media);
    const { packets, decoderConfig } = await pictures;
    const frames = Math.max(1, Math.round(seconds * FPS));
    for (let n = 0; n < Math.min(frames, packets.length); n += 1) {
      const packet = new media.EncodedPacket(
        packets[n] ?? new Uint8Array(),
        n === 0 ? 'key' : 'delta',
        // They last as long as the segment, however many there are.
        startsAt + (n * seconds) / frames,
        seconds / frames,
      );
      await video.add(packet, { decoderConfig });
    }
  }
  const first = Math.ceil(startsAt / SOUND_S);
  for (let n = first; n * SOUND_S < startsAt + seconds || n === first; n += 1)
    await audio.add(new media.EncodedPacket(SILENCE, 'key', n * SOUND_S, SOUND_S), SOUND);
  await output.finalize();
  return Buffer.from(output.target.buffer ?? new ArrayBuffer(0));
};

/** Those of the clip until its next whole picture, or as many as a segment can have. */
async function clipPictures(media: Mediabunny): Promise<Pictures> {
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
