import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  ALL_FORMATS,
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathSource,
  Input,
  MpegTsOutputFormat,
  MP4,
  Output,
} from 'mediabunny';
import type { Segment } from '../../src/recordings/segments/join-segments.js';

const RECORDED = resolve(__dirname, '../../src/livekit/simulator/media/egress-composite.mp4');
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

export interface SegmentShape {
  /** By the segments' clock, in s. */
  readonly startsAt?: number;
  readonly frames?: number;
  readonly withVideo?: boolean;
  /** Pictures refer to later ones, as `decode order -> order of showing`. */
  readonly order?: (frame: number) => number;
}

/** MPEG-TS segments as an egress writes them, each of real pictures that begin with a whole one, and silence. */
export async function makeSegments(
  count: number,
  { startsAt = 10, frames = 30, withVideo = true, order = (frame) => frame }: SegmentShape = {},
): Promise<{ readonly segments: Buffer[]; readonly pictures: readonly Uint8Array[] }> {
  const { pictures, decoderConfig } = await recordedPictures(frames);
  const length = frames / FPS;
  const segments: Buffer[] = [];
  let sounds = 0;
  for (let i = 0; i < count; i += 1) {
    const output = new Output({ format: new MpegTsOutputFormat(), target: new BufferTarget() });
    const video = new EncodedVideoPacketSource('avc');
    const audio = new EncodedAudioPacketSource('aac');
    if (withVideo) output.addVideoTrack(video);
    output.addAudioTrack(audio);
    await output.start();
    for (let n = 0; withVideo && n < frames; n += 1) {
      const at = startsAt + i * length + order(n) / FPS;
      const packet = new EncodedPacket(pictures[n] ?? SILENCE, n === 0 ? 'key' : 'delta', at, 1 / FPS);
      await video.add(packet, { decoderConfig });
    }
    for (; sounds * SOUND_S < (i + 1) * length; sounds += 1) {
      await audio.add(new EncodedPacket(SILENCE, 'key', startsAt + sounds * SOUND_S, SOUND_S), SOUND);
    }
    await output.finalize();
    segments.push(Buffer.from(output.target.buffer ?? new ArrayBuffer(0)));
  }
  return { segments, pictures };
}

async function recordedPictures(count: number) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(await readFile(RECORDED)) });
  const track = await input.getPrimaryVideoTrack();
  const decoderConfig = await track?.getDecoderConfig();
  if (!track || !decoderConfig) throw new Error('the recorded media has no picture');
  const pictures: Uint8Array[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) {
    if (pictures.push(packet.data) === count) break;
  }
  input.dispose();
  return { pictures, decoderConfig };
}

export function asSegments(bodies: readonly (Uint8Array | null)[]): Segment[] {
  return bodies.map((body, i) => ({ name: `${i}.ts`, read: async () => body }));
}

export interface ProbedTrack {
  readonly codec: string | null;
  readonly times: readonly number[];
  readonly data: readonly Uint8Array[];
}

/** What a player finds in an MP4. */
export async function probeMp4(path: string): Promise<{
  readonly durationS: number;
  readonly video: ProbedTrack | null;
  readonly audio: ProbedTrack | null;
}> {
  const input = new Input({ formats: [MP4], source: new FilePathSource(path) });
  try {
    const probe = async (
      track:
        | Awaited<ReturnType<Input['getPrimaryVideoTrack']>>
        | Awaited<ReturnType<Input['getPrimaryAudioTrack']>>,
    ) => {
      if (!track) return null;
      const [times, data]: [number[], Uint8Array[]] = [[], []];
      for await (const packet of new EncodedPacketSink(track).packets()) {
        times.push(packet.timestamp);
        data.push(packet.data);
      }
      return { codec: await track.getCodecParameterString(), times, data };
    };
    return {
      durationS: await input.computeDuration(),
      video: await probe(await input.getPrimaryVideoTrack()),
      audio: await probe(await input.getPrimaryAudioTrack()),
    };
  } finally {
    input.dispose();
  }
}
