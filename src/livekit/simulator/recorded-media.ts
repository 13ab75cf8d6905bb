import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { EgressOutput } from '../livekit.types.js';

/** Puts an egress' media where its request says. Throws `UploadRefused` when it can't. */
export type WriteMedia = (output: EgressOutput, bytes: Buffer) => Promise<void>;

/** The message is what LiveKit shows as the egress' error. */
export class UploadRefused extends Error {}

/** A few seconds that play anywhere: what every simulated recording holds. */
export class RecordedMedia {
  private readonly files = new Map<string, Buffer>();

  of(filename: string): Buffer {
    const name = extname(filename) === '.mp4' ? 'egress-composite.mp4' : 'egress-audio.ogg';
    const known = this.files.get(name);
    if (known) return known;
    const bytes = readFileSync(join(__dirname, 'media', name));
    this.files.set(name, bytes);
    return bytes;
  }
}
