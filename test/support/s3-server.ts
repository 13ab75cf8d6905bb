import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { S3Storage } from '../../src/storage/s3-faults.js';
import { signedRefusal, wantedHeaders } from './signed-requests.js';
import {
  completeUploadAnswer,
  createUploadAnswer,
  deleteAnswer,
  keysToDelete,
  lifecycleAnswer,
  listAnswer,
  refusal,
} from './s3-xml.js';

/** Bytes that are made when they are read, so that a large object needs no memory. */
export interface MadeContent {
  readonly sizeBytes: number;
  read(first: number, last: number): Iterable<Buffer>;
}

interface StoredObject {
  readonly content: MadeContent;
  readonly contentType: string;
  readonly etag: string;
  readonly lastModified: Date;
}

interface MultipartUpload {
  readonly key: string;
  readonly type: string | undefined;
  readonly parts: Map<number, Buffer>;
}

export type S3Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'ListObjectsV2'
  | 'HeadBucket'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'GetBucketLifecycleConfiguration';

/** A fault holds for `operation` (all without one) until it was given `times` times (always without). */
export type S3Fault = { readonly operation?: S3Operation; times?: number } & (
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Takes the request and never answers. */
  | { readonly kind: 'silent' }
  /** Sends the head of an answer with a body, and nothing of the body. */
  | { readonly kind: 'head-alone' }
  /** Sends half of a body, then `then` happens. */
  | { readonly kind: 'half-body'; readonly then: 'silence' | 'cut' }
  /** Sends the second half of a body when it may. */
  | { readonly kind: 'late-rest'; readonly until: Promise<void> }
  /** Answers a DeleteObjects without a word about these keys. */
  | { readonly kind: 'unmentioned'; readonly keys: readonly string[] }
  /** Refuses these keys of a DeleteObjects, in a 200. */
  | { readonly kind: 'refuse-keys'; readonly keys: readonly string[]; readonly code: string }
  | { readonly kind: 'ignore-range' }
);

/**
 * One bucket of an S3 server, path style, in memory: it does what the real ones document and checks no signature.
 * Keys here are whole keys, with the prefix.
 */
export class S3Server {
  readonly objects = new Map<string, StoredObject>();
  readonly requests: { readonly operation: S3Operation; readonly key: string }[] = [];
  readonly faults: S3Fault[] = [];
  pageSize = 1000;
  /** Takes a DeleteObjects with Content-MD5 alone, as stores do that know no other checksum. */
  wantsMd5 = false;
  /** Its lifecycle rules, as XML; null: it has none. */
  lifecycle: string | null = null;
  /** How far its clock is ahead of ours; it refuses what is signed more than 15 minutes beside it. */
  aheadMs = 0;
  /** Whole keys of objects in an archive class, with what a HEAD says of it; null: only the refusal of a GET tells. */
  readonly archived = new Map<string, Readonly<Record<string, string>> | null>();
  /** DELETEs of single objects under way at this moment, and the most there were. */
  readonly singleDeletes = { now: 0, most: 0 };
  /** Bodies being sent at this moment. */
  openBodies = 0;
  private writes = 0;
  /** Begun and neither completed nor aborted, with their parts by number. */
  readonly uploads = new Map<string, MultipartUpload>();
  private uploadsBegun = 0;

  private constructor(
    private readonly server: Server,
    readonly bucket: string,
  ) {}

  static async start(bucket = 'tally'): Promise<S3Server> {
    const server = createServer();
    const s3 = new S3Server(server, bucket);
    server.on('request', (request, response) => {
      s3.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return s3;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The configuration that leads here. */
  storage(prefix = 'recs'): S3Storage {
    return {
      kind: 's3',
      bucket: this.bucket,
      prefix,
      endpoint: this.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test-key', secretAccessKey: 'test-secret' },
      forcePathStyle: true,
      deployment: 'test',
      egressEndpoint: this.endpoint,
    };
  }

  /** The variables of an instance that keeps everything here, below `prefix`. */
  env(prefix = 'recs'): Record<string, string> {
    return {
      STORAGE_URL: prefix === '' ? `s3://${this.bucket}` : `s3://${this.bucket}/${prefix}`,
      S3_ENDPOINT: this.endpoint,
      S3_REGION: 'us-east-1',
      S3_FORCE_PATH_STYLE: 'true',
      S3_ACCESS_KEY_ID: 'test-key',
      S3_SECRET_ACCESS_KEY: 'test-secret',
    };
  }

  plant(key: string, content: Buffer | MadeContent, contentType = 'application/octet-stream'): void {
    this.writes += 1;
    const made = Buffer.isBuffer(content) ? contentOf(content) : content;
    const etag = createHash('md5')
      .update(Buffer.isBuffer(content) ? content : `made-${this.writes}`)
      .digest('hex');
    const lastModified = new Date(Math.floor(Date.now() / 1000) * 1000);
    this.objects.set(key, { content: made, contentType, etag, lastModified });
  }

  /** The bytes of an object, null where there is none. */
  body(key: string): Buffer | null {
    const found = this.objects.get(key);
    return found ? Buffer.concat([...found.content.read(0, found.content.sizeBytes - 1)]) : null;
  }

  count(operation: S3Operation): number {
    return this.requests.filter((request) => request.operation === operation).length;
  }

  async connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.endpoint);
    const [, bucket = '', ...rest] = decodeURIComponent(url.pathname).split('/');
    const key = rest.join('/');
    const operation = operationOf(request, url, key);
    if (!operation) return refuse(response, 501, 'NotImplemented');
    this.requests.push({ operation, key });
    response.setHeader('date', new Date(Date.now() + this.aheadMs).toUTCString());
    const fault = this.takeFault(operation);
    if (fault?.kind === 'silent') return;
    if (fault?.kind === 'refuse')
      return refuse(response, fault.status, fault.code, operation.startsWith('Head'));
    if (bucket !== this.bucket) return refuse(response, 404, 'NoSuchBucket', operation.startsWith('Head'));
    const unsigned = signedRefusal(request, url.searchParams, Date.now() + this.aheadMs);
    if (unsigned) return refuse(response, ...unsigned, operation.startsWith('Head'));
    switch (operation) {
      case 'PutObject':
        return this.put(request, response, key);
      case 'CreateMultipartUpload': {
        const id = `upload-${(this.uploadsBegun += 1)}`;
        this.uploads.set(id, { key, type: request.headers['content-type'], parts: new Map() });
        return xml(response, 200, createUploadAnswer(this.bucket, key, id));
      }
      case 'UploadPart':
      case 'CompleteMultipartUpload':
      case 'AbortMultipartUpload':
        return this.upload(operation, request, response, url.searchParams);
      case 'GetObject':
      case 'HeadObject':
        return this.read(request, response, key, url.searchParams, fault);
      case 'DeleteObject':
        return this.deleteOne(response, key, fault);
      case 'DeleteObjects':
        return this.delete(request, response, fault);
      case 'ListObjectsV2':
        return this.list(response, url.searchParams);
      case 'HeadBucket':
        return void response.writeHead(200).end();
      case 'GetBucketLifecycleConfiguration':
        return this.lifecycle === null
          ? refuse(response, 404, 'NoSuchLifecycleConfiguration')
          : xml(response, 200, lifecycleAnswer(this.lifecycle));
    }
  }

  private takeFault(operation: S3Operation): S3Fault | undefined {
    const fault = this.faults.find((one) => one.operation === undefined || one.operation === operation);
    // Which keys a request is about is known once it has been read.
    if (fault !== undefined && !('keys' in fault)) this.spend(fault);
    return fault;
  }

  private spend(fault: S3Fault): void {
    if (fault.times === undefined) return;
    fault.times -= 1;
    if (fault.times <= 0) this.faults.splice(this.faults.indexOf(fault), 1);
  }

  private spendOn(keys: readonly string[], fault: S3Fault | undefined): void {
    if (fault !== undefined && 'keys' in fault && keys.some((key) => fault.keys.includes(key)))
      this.spend(fault);
  }

  private async put(request: IncomingMessage, response: ServerResponse, key: string): Promise<void> {
    const body = await bodyOf(request);
    const promised = request.headers['x-amz-content-sha256'];
    const sha256 = createHash('sha256').update(body).digest('hex');
    if (typeof promised === 'string' && /^[0-9a-f]{64}$/.test(promised) && promised !== sha256) {
      return refuse(response, 400, 'XAmzContentSHA256Mismatch');
    }
    this.plant(key, body, request.headers['content-type']);
    response.writeHead(200, { etag: `"${this.objects.get(key)?.etag}"` }).end();
  }

  private async upload(
    operation: 'UploadPart' | 'CompleteMultipartUpload' | 'AbortMultipartUpload',
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    const id = query.get('uploadId') ?? '';
    const body = await bodyOf(request);
    const upload = this.uploads.get(id);
    if (!upload) return refuse(response, 404, 'NoSuchUpload');
    if (operation === 'UploadPart') {
      upload.parts.set(Number(query.get('partNumber')), body);
      const etag = createHash('md5').update(body).digest('hex');
      return void response.writeHead(200, { etag: `"${etag}"` }).end();
    }
    this.uploads.delete(id);
    if (operation === 'AbortMultipartUpload') return void response.writeHead(204).end();
    const named = [...body.toString('utf8').matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, n]) =>
      Number(n),
    );
    const parts = named.map((number) => upload.parts.get(number));
    // Every part but the last has 5 MiB at least.
    if (parts.slice(0, -1).some((part) => (part?.length ?? 0) < 5 * 1024 * 1024)) {
      return refuse(response, 400, 'EntityTooSmall');
    }
    this.plant(upload.key, Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0))), upload.type);
    xml(
      response,
      200,
      completeUploadAnswer(this.bucket, upload.key, this.objects.get(upload.key)?.etag ?? ''),
    );
  }

  private async read(
    request: IncomingMessage,
    response: ServerResponse,
    key: string,
    query: URLSearchParams,
    fault?: S3Fault,
  ) {
    const found = this.objects.get(key);
    if (!found) return refuse(response, 404, 'NoSuchKey', request.method === 'HEAD');
    const archive = this.archived.get(key);
    if (archive !== undefined && request.method === 'GET') return refuse(response, 403, 'InvalidObjectState');
    const size = found.content.sizeBytes;
    const range =
      fault?.kind === 'ignore-range' ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const first = range ? Number(range[1]) : 0;
    const last = Math.min(range?.[2] ? Number(range[2]) : Infinity, size - 1);
    if (range && first >= size) return refuse(response, 416, 'InvalidRange');
    response.writeHead(range ? 206 : 200, {
      'content-length': last - first + 1,
      'content-type': found.contentType,
      etag: `"${found.etag}"`,
      'last-modified': found.lastModified.toUTCString(),
      'accept-ranges': 'bytes',
      ...wantedHeaders(query),
      ...archive,
      ...(range ? { 'content-range': `bytes ${first}-${last}/${size}` } : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    await this.sendBody(response, found.content, first, last, fault);
  }

  private async sendBody(
    response: ServerResponse,
    content: MadeContent,
    first: number,
    last: number,
    fault?: S3Fault,
  ): Promise<void> {
    if (fault?.kind === 'head-alone') {
      response.flushHeaders();
      return void (await once(response, 'close'));
    }
    const half = fault?.kind === 'half-body' || fault?.kind === 'late-rest' ? fault : null;
    const until = half ? first + Math.floor((last - first + 1) / 2) - 1 : last;
    this.openBodies += 1;
    try {
      await pipeline(Readable.from(content.read(first, until)), response, { end: !half });
      if (half?.kind === 'late-rest') {
        await half.until;
        await pipeline(Readable.from(content.read(until + 1, last)), response);
      } else if (half?.then === 'silence') await once(response, 'close');
      else if (half?.then === 'cut') response.destroy();
    } catch {
      // The reader went away: what is open then is what the tests count.
      response.destroy();
    } finally {
      this.openBodies -= 1;
    }
  }

  private async deleteOne(response: ServerResponse, key: string, fault?: S3Fault): Promise<void> {
    this.singleDeletes.now += 1;
    this.singleDeletes.most = Math.max(this.singleDeletes.most, this.singleDeletes.now);
    await new Promise((resolve) => setImmediate(resolve));
    this.singleDeletes.now -= 1;
    this.spendOn([key], fault);
    if (fault?.kind === 'refuse-keys' && fault.keys.includes(key)) return refuse(response, 403, fault.code);
    this.objects.delete(key);
    response.writeHead(204).end();
  }

  private async delete(request: IncomingMessage, response: ServerResponse, fault?: S3Fault): Promise<void> {
    const body = await bodyOf(request);
    const wrong = this.wantsMd5 && refusalWithoutMd5(request, body);
    if (wrong) return refuse(response, 400, wrong);
    const keys = keysToDelete(body.toString('utf8'));
    if (keys.length === 0 || keys.length > 1000) return refuse(response, 400, 'MalformedXML');
    this.spendOn(keys, fault);
    const refused = new Set(fault?.kind === 'refuse-keys' ? fault.keys : []);
    const unmentioned = new Set(fault?.kind === 'unmentioned' ? fault.keys : []);
    const deleted = keys.filter((key) => !refused.has(key) && !unmentioned.has(key));
    for (const key of deleted) this.objects.delete(key);
    const errors = keys
      .filter((key) => refused.has(key))
      .map((key) => ({ key, code: fault?.kind === 'refuse-keys' ? fault.code : '' }));
    xml(response, 200, deleteAnswer(deleted, errors));
  }

  private list(response: ServerResponse, query: URLSearchParams): void {
    const prefix = query.get('prefix') ?? '';
    const token = query.get('continuation-token');
    const after = token ? Buffer.from(token, 'base64url').toString('utf8') : (query.get('start-after') ?? '');
    const max = Math.min(Number(query.get('max-keys') ?? 1000), this.pageSize);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = keys.slice(0, max);
    const next = keys.length > page.length ? Buffer.from(page.at(-1) ?? '').toString('base64url') : null;
    const contents = page.flatMap((key) => {
      const found = this.objects.get(key);
      if (!found) return [];
      const size = found.content.sizeBytes;
      return [{ key, size, etag: found.etag, lastModified: found.lastModified }];
    });
    xml(response, 200, listAnswer(this.bucket, prefix, contents, next));
  }
}

function contentOf(bytes: Buffer): MadeContent {
  return { sizeBytes: bytes.length, read: (first, last) => [bytes.subarray(first, last + 1)] };
}

function operationOf(request: IncomingMessage, url: URL, key: string): S3Operation | null {
  const { method } = request;
  if (key !== '') {
    if (method === 'POST' && url.searchParams.has('uploads')) return 'CreateMultipartUpload';
    if (url.searchParams.has('uploadId')) {
      if (method === 'PUT') return 'UploadPart';
      if (method === 'POST') return 'CompleteMultipartUpload';
      return method === 'DELETE' ? 'AbortMultipartUpload' : null;
    }
    if (method === 'PUT') return 'PutObject';
    if (method === 'GET') return 'GetObject';
    if (method === 'DELETE') return 'DeleteObject';
    return method === 'HEAD' ? 'HeadObject' : null;
  }
  if (method === 'HEAD') return 'HeadBucket';
  if (method === 'POST' && url.searchParams.has('delete')) return 'DeleteObjects';
  if (method === 'GET' && url.searchParams.has('lifecycle')) return 'GetBucketLifecycleConfiguration';
  return method === 'GET' && url.searchParams.get('list-type') === '2' ? 'ListObjectsV2' : null;
}

function refusalWithoutMd5({ headers }: IncomingMessage, body: Buffer): string | null {
  if (Object.keys(headers).some((name) => /^x-amz-(sdk-)?checksum-/.test(name))) return 'InvalidArgument';
  if (headers['content-md5'] === undefined) return 'MissingContentMD5';
  return headers['content-md5'] === createHash('md5').update(body).digest('base64') ? null : 'BadDigest';
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function xml(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, code: string, withoutBody = false): void {
  if (withoutBody) return void response.writeHead(status).end();
  xml(response, status, refusal(code));
}
