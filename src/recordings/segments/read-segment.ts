import type { EncodedPacket, Input, InputTrack, Output } from 'mediabunny';
import { afterDuration, findBox, findBoxes, type TrackForm } from './mp4-tables.js';

export type Mediabunny = typeof import('mediabunny');
export const KINDS = ['video', 'audio'] as const;
export type Kind = (typeof KINDS)[number];

/** One sample as an MP4 has it; times in s, by the segment's own clock. */
export interface Sample {
  readonly data: Uint8Array;
  readonly pts: number;
  readonly isKey: boolean;
  readonly duration: number;
}

export interface SegmentTrack {
  /** In the order in which they are decoded; one at least. */
  readonly samples: readonly Sample[];
  readonly form: TrackForm;
}

export interface ReadSegment {
  readonly tracks: ReadonlyMap<Kind, SegmentTrack>;
  /** What it is encoded as: the same for all that can be joined. */
  readonly format: string;
  readonly ftyp: Buffer;
  readonly mvhdTail: Buffer;
}

const TS_PACKET_BYTES = 188;
const VIDEO_TICKS = 90_000;

/** The samples of an MPEG-TS segment, or why it can't be used. */
export async function readSegment(media: Mediabunny, bytes: Uint8Array): Promise<ReadSegment | string> {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.length % TS_PACKET_BYTES !== 0) return 'it ends in the middle of a packet';
  try {
    return await withInput(media, media.MPEG_TS, bytes, async (input) => {
      const packets = await packetsOf(media, input);
      if (packets.size === 0) return 'there is no picture and no sound in it';
      for (const [kind, [first]] of packets) {
        if (first === undefined) return `there is no ${kind} in it`;
        if (first.type !== 'key') return `its ${kind} does not begin with a whole picture`;
      }
      return await asSamples(media, packets, Buffer.from(await rewrapped(media, input, packets)));
    });
  } catch (error) {
    return `it is torn: ${error instanceof Error ? error.message.slice(0, 200) : 'it can not be read'}`;
  }
}

type Packets = ReadonlyMap<Kind, readonly EncodedPacket[]>;

async function withInput<T>(
  media: Mediabunny,
  format: Mediabunny['MPEG_TS'] | Mediabunny['MP4'],
  bytes: Uint8Array,
  work: (input: Input) => Promise<T>,
): Promise<T> {
  const input = new media.Input({ formats: [format], source: new media.BufferSource(bytes) });
  try {
    return await work(input);
  } finally {
    input.dispose();
  }
}

async function tracksOf(input: Input): Promise<Map<Kind, InputTrack>> {
  const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
  const tracks = new Map<Kind, InputTrack>();
  if (video) tracks.set('video', video);
  if (audio) tracks.set('audio', audio);
  return tracks;
}

async function packetsOf(media: Mediabunny, input: Input): Promise<Packets> {
  const all = new Map<Kind, EncodedPacket[]>();
  for (const [kind, track] of await tracksOf(input)) {
    const packets: EncodedPacket[] = [];
    for await (const packet of new media.EncodedPacketSink(track).packets()) packets.push(packet);
    all.set(kind, packets);
  }
  return all;
}

/** The same packets as a small MP4 in memory: there the samples, and what describes them, look as an MP4 wants them. */
async function rewrapped(media: Mediabunny, input: Input, packets: Packets): Promise<ArrayBuffer> {
  const target = new media.BufferTarget();
  const output = new media.Output({
    format: new media.Mp4OutputFormat({ fastStart: 'in-memory' }),
    target,
  });
  const start = Math.min(...[...packets.values()].map(([first]) => first?.timestamp ?? Infinity));
  const adds: ((packet: EncodedPacket) => Promise<void>)[] = [];
  const queue: { at: number; add: number; packet: EncodedPacket }[] = [];
  for (const [kind, track] of await tracksOf(input)) {
    const add = adds.push(await addTrack(media, output, track)) - 1;
    for (const packet of packets.get(kind) ?? []) queue.push({ at: packet.timestamp, add, packet });
  }
  await output.start();
  for (const { add, packet } of queue) {
    await adds[add]?.(packet.clone({ timestamp: Math.max(0, packet.timestamp - start) }));
  }
  await output.finalize();
  if (target.buffer === null) throw new Error('nothing was written');
  return target.buffer;
}

async function addTrack(
  media: Mediabunny,
  output: Output,
  track: InputTrack,
): Promise<(packet: EncodedPacket) => Promise<void>> {
  let isFirst = true;
  const once = <T>(meta: T): T | undefined => {
    const given = isFirst ? meta : undefined;
    isFirst = false;
    return given;
  };
  if (track.isVideoTrack()) {
    const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
    if (codec === null || decoderConfig === null) throw new Error('its picture is of an unknown codec');
    const source = new media.EncodedVideoPacketSource(codec);
    output.addVideoTrack(source);
    return (packet) => source.add(packet, once({ decoderConfig }));
  }
  if (!track.isAudioTrack()) throw new Error('a track that is neither picture nor sound');
  const [codec, decoderConfig] = [await track.getCodec(), await track.getDecoderConfig()];
  if (codec === null || decoderConfig === null) throw new Error('its sound is of an unknown codec');
  const source = new media.EncodedAudioPacketSource(codec);
  output.addAudioTrack(source);
  return (packet) => source.add(packet, once({ decoderConfig }));
}

async function asSamples(media: Mediabunny, packets: Packets, mp4: Buffer): Promise<ReadSegment> {
  const traks = findBoxes(mp4, 'moov/trak');
  return withInput(media, media.MP4, mp4, async (input) => {
    const inMp4 = await packetsOf(media, input);
    const tracks = new Map<Kind, SegmentTrack>();
    const formats: string[] = [];
    for (const [kind, track] of await tracksOf(input)) {
      const [timed, made] = [packets.get(kind) ?? [], inMp4.get(kind) ?? []];
      const trak = traks[tracks.size];
      if (timed.length !== made.length || trak === undefined) throw new Error(`some of its ${kind} was lost`);
      const { format, timescale } = await formatOf(track);
      formats.push(format);
      const samples = timed.map(({ timestamp: pts, type, duration }, i) => {
        return { data: made[i]?.data ?? new Uint8Array(), pts, isKey: type === 'key', duration };
      });
      tracks.set(kind, { samples, form: formOf(trak.body, timescale) });
    }
    const mvhd = findBox(mp4, 'moov/mvhd').body;
    return {
      tracks,
      format: formats.join(' with '),
      ftyp: findBox(mp4, 'ftyp').whole,
      mvhdTail: afterDuration(mvhd, 4),
    };
  });
}

async function formatOf(track: InputTrack): Promise<{ format: string; timescale: number }> {
  const codec = (await track.getCodecParameterString()) ?? 'an unknown codec';
  const config = track.isVideoTrack() || track.isAudioTrack() ? await track.getDecoderConfig() : null;
  const description = config?.description;
  const setup = description === undefined ? '' : ` ${hexOf(description)}`;
  if (config !== null && 'sampleRate' in config) {
    const { sampleRate, numberOfChannels } = config;
    return { format: `${codec} ${sampleRate}/${numberOfChannels}${setup}`, timescale: sampleRate };
  }
  return { format: `${codec}${setup}`, timescale: VIDEO_TICKS };
}

function hexOf(bytes: ArrayBufferLike | ArrayBufferView): string {
  return ArrayBuffer.isView(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
    : Buffer.from(bytes).toString('hex');
}

function formOf(trak: Buffer, timescale: number): TrackForm {
  const minf = findBox(trak, 'mdia/minf').body;
  const [mediaHeader] = [...findBoxes(minf, 'vmhd'), ...findBoxes(minf, 'smhd')];
  if (mediaHeader === undefined) throw new Error('a track that is neither picture nor sound');
  return {
    timescale,
    hdlr: findBox(trak, 'mdia/hdlr').whole,
    mediaHeader: mediaHeader.whole,
    dinf: findBox(minf, 'dinf').whole,
    stsd: findBox(minf, 'stbl/stsd').whole,
    tkhdTail: afterDuration(findBox(trak, 'tkhd').body, 8),
    mdhdTail: afterDuration(findBox(trak, 'mdia/mdhd').body, 4),
  };
}
