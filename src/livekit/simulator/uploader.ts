import { posix } from 'node:path';
import type { EgressInfo, S3Upload } from '@livekit/protocol';
import type { EgressOutput } from '../livekit.types.js';
import type { EgressOrder, FileOrder, SegmentOrder } from './egress-order.js';
import type { FaultBook } from './faults.js';
import {
  type Media,
  type RecordedShape,
  type RecordMedia,
  UploadRefused,
  type WriteMedia,
} from './recorded-media.js';

export type Delivered =
  | {
      readonly kind: 'delivered';
      readonly size: bigint;
      readonly location: string;
      readonly manifestLocation: string;
      /** It went to the egress' backup storage. */
      readonly backup?: true;
    }
  | { readonly kind: 'failed'; readonly error: string };

const REFUSED =
  'S3 upload failed: err: operation error S3: PutObject, https response error StatusCode: 403, RequestID: , HostID: , ' +
  'api error AccessDenied: AccessDenied, status code: 403';

/** What a recording child does last: its media, and its manifest, to where the request says. */
export class Uploader {
  constructor(
    private readonly write: WriteMedia,
    private readonly record: RecordMedia,
    private readonly faults: FaultBook,
  ) {}

  async upload(info: EgressInfo, order: EgressOrder): Promise<Delivered> {
    const [file] = order.files;
    const filename = info.fileResults[0]?.filename;
    if (!file || filename === undefined)
      return { kind: 'delivered', size: 0n, location: '', manifestLocation: '' };
    if (this.faults.strike('upload-refused', info.roomName)) return { kind: 'failed', error: REFUSED };
    try {
      const isEmpty = this.faults.strike('empty-file', info.roomName) !== null;
      const media = isEmpty ? EMPTY : await this.record(shapeOf(info, order, filename));
      if (this.faults.strike('backup-used', info.roomName)) {
        const location = `https://backup.invalid/recordings/${filename}`;
        return {
          kind: 'delivered',
          size: BigInt(media.size),
          location,
          manifestLocation: '',
          backup: true,
        };
      }
      await this.write(outputAt(file, filename), media.chunks);
      const location = locationOf(file, filename);
      const manifestLocation = await this.uploadManifest(info, file, filename, location);
      return { kind: 'delivered', size: BigInt(media.size), location, manifestLocation };
    } catch (error) {
      if (error instanceof UploadRefused) return { kind: 'failed', error: error.message };
      throw error;
    }
  }

  /** One object, where an output of the request says. Throws UploadRefused. */
  put(to: FileOrder | SegmentOrder, path: string, bytes: Buffer): Promise<void> {
    return this.write(outputAt(to, path), [bytes]);
  }

  locationOf(to: FileOrder | SegmentOrder, path: string): string {
    return locationOf(to, path);
  }

  private async uploadManifest(
    info: EgressInfo,
    file: FileOrder,
    filename: string,
    location: string,
  ): Promise<string> {
    if (file.disableManifest) return '';
    const path = posix.join(posix.dirname(filename), `${info.egressId}.json`);
    const manifest = {
      egress_id: info.egressId,
      room_id: info.roomId,
      room_name: info.roomName,
      started_at: Number(info.startedAt),
      files: [{ filename, location }],
    };
    await this.write(outputAt(file, path), [Buffer.from(JSON.stringify(manifest))]);
    return locationOf(file, path);
  }
}

const EMPTY: Media = { size: 0, chunks: [] };

function shapeOf(info: EgressInfo, { picture }: EgressOrder, filename: string): RecordedShape {
  const durationMs = Number((info.fileResults[0]?.duration ?? 0n) / 1_000_000n);
  return { filename, roomName: info.roomName, durationMs, picture };
}

function outputAt({ storage }: Pick<FileOrder, 'storage'>, filepath: string): EgressOutput {
  if (storage === null) return { kind: 'file', filepath };
  if (storage === 'unknown') {
    throw new UploadRefused('upload failed: the simulator writes to S3 and to its own disk alone');
  }
  return {
    kind: 's3',
    filepath,
    bucket: storage.bucket,
    region: storage.region,
    endpoint: storage.endpoint || null,
    accessKeyId: storage.accessKey || null,
    secretAccessKey: storage.secret || null,
    forcePathStyle: storage.forcePathStyle,
    deployment: '',
  };
}

/** As little to be relied on as LiveKit's own: https whatever the endpoint says, nonsense in the virtual-host style. */
function locationOf({ storage }: Pick<FileOrder, 'storage'>, path: string): string {
  if (storage === null || storage === 'unknown') return path;
  return s3Location(storage, path);
}

function s3Location({ endpoint, bucket, region, forcePathStyle }: S3Upload, key: string): string {
  const host = endpoint || `s3.${region}.amazonaws.com`;
  if (forcePathStyle) return `https://${host.replace(/^https?:\/\//, '')}/${bucket}/${key}`;
  return `https://${bucket}.${host}/${key}`;
}
