import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { EgressOutput } from '../livekit.types.js';

/** Puts what an egress made where its request says, piece by piece. Throws `UploadRefused` when it can't. */
export type WriteMedia = (output: EgressOutput, chunks: Iterable<Buffer>) => Promise<void>;

/** The message is what LiveKit shows as the egress' error. */
export class UploadRefused extends Error {}

/** What an egress has recorded. */
export interface RecordedShape {
  /** Its ending says of what kind it is. */
  readonly filename: string;
  readonly roomName: string;
  readonly durationMs: number;
  /** Null: audio alone. */
  readonly picture: PictureShape | null;
}

export interface PictureShape {
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
}

/** A file that may be made while it is read. */
export interface Media {
  /** In bytes. */
  readonly size: number;
  readonly chunks: Iterable<Buffer>;
}

export type RecordMedia = (shape: RecordedShape) => Media | Promise<Media>;

const files = new Map<string, Buffer>();

/** A few seconds of a real recording that play anywhere, whatever was asked for. */
export const recordFewSeconds = ({ filename }: Pick<RecordedShape, 'filename'>): Media => {
  const name = extname(filename) === '.mp4' ? 'egress-composite.mp4' : 'egress-audio.ogg';
  const bytes = files.get(name) ?? readFileSync(join(__dirname, 'media', name));
  files.set(name, bytes);
  return { size: bytes.length, chunks: [bytes] };
};

/** All of them as one: for who keeps it in memory. */
export function bytesOf(chunks: Iterable<Buffer>): Buffer {
  const [first, ...others] = chunks;
  return first && others.length === 0 ? first : Buffer.concat([...(first ? [first] : []), ...others]);
}
