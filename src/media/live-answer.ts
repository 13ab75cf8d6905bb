import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Clock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import { isFinal, type Recording } from '../recordings/domain/recording.js';
import { segmentKey, segmentKeys } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { sendBody } from './send-body.js';

const FIRST_BYTE_WITHIN_MS = 5_000;
/** However many watch, the storage is asked for a playlist about as often as one of them asks. */
const FRESH_MS = 900;
const MOST_KEPT = 500;

interface Kept {
  readonly at: number;
  readonly body: Promise<Buffer | null>;
}

/** Answers for the live playlist of a crash-proof recording in progress and for its segments. */
@Injectable()
export class LiveAnswer {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly storage: ObjectStorage,
    private readonly clock: Clock,
  ) {}

  /** `token`: goes along to each segment, for who came by it. Throws MEDIA_GONE, NOT_FOUND, STORAGE_UNAVAILABLE. */
  async playlist(recording: Recording, token: string | null, reply: FastifyReply): Promise<void> {
    requireLive(recording);
    const body = await this.read(segmentKeys(recording).livePlaylist);
    if (body === null) throw notYet(recording);
    void reply
      .header('content-type', 'application/vnd.apple.mpegurl')
      .header('cache-control', 'private, no-store')
      .header('x-content-type-options', 'nosniff')
      .send(withOurAddresses(body.toString('utf8'), token));
  }

  /** Throws as above. */
  async segment(recording: Recording, name: string, method: string, reply: FastifyReply): Promise<void> {
    requireLive(recording);
    const key = segmentKey(recording, name);
    const giveUp = AbortSignal.timeout(FIRST_BYTE_WITHIN_MS);
    const head = key !== null && method === 'HEAD' ? await this.storage.head(key, giveUp) : null;
    const opened = key !== null && head === null ? await this.storage.open(key, undefined, giveUp) : null;
    const info = head ?? opened?.info;
    if (info === undefined) {
      throw new TallyError('NOT_FOUND', `recording ${recording.id} has no segment of that name`, {
        recordingId: recording.id,
      });
    }
    void reply
      .header('content-type', 'video/mp2t')
      // It never changes, and is gone once the file is there.
      .header('cache-control', 'private, max-age=60')
      .header('etag', `"${info.etag}"`)
      .header('x-content-type-options', 'nosniff');
    if (opened) sendBody(reply, opened.stream, info.sizeBytes, recording.id);
    else void reply.header('content-length', info.sizeBytes).send();
  }

  private read(key: string): Promise<Buffer | null> {
    const now = this.clock.now();
    const known = this.kept.get(key);
    if (known !== undefined && now - known.at < FRESH_MS) return known.body;
    const body = this.storage.get(key);
    this.kept.delete(key);
    this.kept.set(key, { at: now, body });
    // What fails is asked again by the next one.
    body.catch(() => this.kept.delete(key));
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
    return body;
  }
}

function requireLive({ id, status, crashProof }: Recording): void {
  if (isFinal(status)) {
    throw new TallyError(
      'MEDIA_GONE',
      `recording ${id} is ${status}: it is not live any more; play its media`,
      {
        recordingId: id,
      },
    );
  }
  if (crashProof) return;
  throw new TallyError(
    'NOT_FOUND',
    `recording ${id} can not be watched while it is made: it is not crash-proof; set crashProof in its room's settings`,
    { recordingId: id },
  );
}

function notYet({ id }: Recording): TallyError {
  return new TallyError('NOT_FOUND', `recording ${id} has no segment yet; try again in some seconds`, {
    recordingId: id,
  });
}

/** Names of the list's own folder become paths on this server, relative to the list's. */
function withOurAddresses(playlist: string, token: string | null): string {
  const suffix = token === null ? '' : `?token=${encodeURIComponent(token)}`;
  return playlist.replace(
    /^(?!#)(\S+)$/gm,
    (_, name: string) => `segments/${encodeURIComponent(name)}${suffix}`,
  );
}
