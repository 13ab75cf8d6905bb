import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { EgressOutput } from '../livekit.types.js';
import { UploadRefused, type WriteMedia } from './recorded-media.js';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.json': 'application/json',
  '.ts': 'video/mp2t',
  '.m3u8': 'application/x-mpegurl',
};

const PART_BYTES = 8 * 1024 * 1024;

type S3Output = Extract<EgressOutput, { kind: 's3' }>;

/** Writes for real: into a file of this machine, or into the bucket that the request names. */
export const writeMediaForReal: WriteMedia = async (output, chunks) => {
  if (output.kind === 's3') await upload(output, chunks);
  else await store(resolve(output.filepath), chunks);
};

async function store(path: string, chunks: Iterable<Buffer>): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeAside(path, chunks);
  } catch (cause) {
    throw new UploadRefused(`Local upload failed: ${wordsOf(cause)}`, { cause });
  }
}

/** Nobody sees half a file: it is written under another name and renamed. */
async function writeAside(path: string, chunks: Iterable<Buffer>): Promise<void> {
  const aside = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(aside, 'w');
    try {
      for (const chunk of chunks) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

async function upload(output: S3Output, chunks: Iterable<Buffer>): Promise<void> {
  const client = clientFor(output);
  try {
    // One part after the other: what is made while it is read is never in memory as a whole.
    const params = {
      Bucket: output.bucket,
      Key: output.filepath,
      Body: Readable.from(chunks),
      ContentType: CONTENT_TYPES[extname(output.filepath)],
      ContentDisposition: 'inline',
    };
    await new Upload({ client, params, partSize: PART_BYTES, queueSize: 1 }).done();
  } catch (cause) {
    throw new UploadRefused(`S3 upload failed: err: operation error S3: PutObject, ${wordsOf(cause)}`, {
      cause,
    });
  } finally {
    client.destroy();
  }
}

function clientFor(output: S3Output): S3Client {
  return new S3Client({
    region: output.region || 'us-east-1',
    forcePathStyle: output.forcePathStyle,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    ...(output.endpoint ? { endpoint: output.endpoint } : {}),
    ...(output.accessKeyId && output.secretAccessKey
      ? { credentials: { accessKeyId: output.accessKeyId, secretAccessKey: output.secretAccessKey } }
      : {}),
  });
}

function wordsOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (status === undefined) return cause.message;
  const { name } = cause;
  return `https response error StatusCode: ${status}, RequestID: , HostID: , api error ${name}: ${name}, status code: ${status}`;
}
