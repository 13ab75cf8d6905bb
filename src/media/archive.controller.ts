import type { Readable } from 'node:stream';
import { Controller, Get, Head, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import pLimit from 'p-limit';
import { badInput } from '../kernel/errors.js';
import type { Recording } from '../recordings/domain/recording.js';
import { MEDIA_PREFIX } from '../storage/object-keys.js';
import { ObjectStorage } from '../storage/object-storage.port.js';
import { MediaDoor } from './door.js';
import { attachment } from './media-filename.js';
import { mediaArchived, mediaGone, orArchived, playableKey } from './playable.js';
import { sendBody } from './send-body.js';
import { type ZipEntry, zipLength } from './zip-format.js';
import { zipStream } from './zip-stream.js';

const MOST_IDS = 100;
const LOOKS_AT_ONCE = 16;
/** From the request to the first byte, over everything that the storage is asked, and what each recording may add. */
const FIRST_BYTE_WITHIN_MS = 5_000;
const MORE_FOR_EACH_MS = 50;

interface MediaEntry extends ZipEntry {
  readonly key: string;
  readonly etag: string;
  readonly recording: Recording;
}

@Controller('recordings/archive')
export class ArchiveController {
  constructor(
    private readonly door: MediaDoor,
    private readonly storage: ObjectStorage,
  ) {}

  // Declared before GET: the one that Fastify would add by itself reads the whole archive to throw it away.
  @Head()
  async head(
    @Query('ids') ids: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { entries } = await this.entries(ids, request);
    describe(reply).header('content-length', zipLength(entries));
    void reply.send();
  }

  @Get()
  async get(
    @Query('ids') ids: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { entries, giveUp } = await this.entries(ids, request);
    const clientGone = new AbortController();
    reply.raw.once('close', () => clientGone.abort());
    if (reply.raw.destroyed) clientGone.abort();
    const first = await this.readable(entries, giveUp);
    // What breaks it off before the archive reads it is told when it does.
    first?.on('error', () => undefined);
    clientGone.signal.addEventListener('abort', () => first?.destroy(), { once: true });
    if (clientGone.signal.aborted) first?.destroy();
    const open = async (entry: MediaEntry): Promise<Readable> =>
      first && entry === entries[0] ? first : this.open(entry);
    const zip = zipStream(entries, open, clientGone.signal);
    const names = entries.map((entry) => entry.recording.id).join(',');
    sendBody(describe(reply), zip, zipLength(entries), names);
  }

  /** Everything that can be refused is refused here, before the first byte. */
  private async entries(
    ids: unknown,
    request: FastifyRequest,
  ): Promise<{ readonly entries: readonly MediaEntry[]; readonly giveUp: AbortSignal }> {
    const actor = await this.door.enter(request);
    const recordings = await this.door.all(parseIds(ids), actor);
    const keys = recordings.map(playableKey);
    const giveUp = AbortSignal.timeout(FIRST_BYTE_WITHIN_MS + MORE_FOR_EACH_MS * recordings.length);
    const limit = pLimit(LOOKS_AT_ONCE);
    const entries = await Promise.all(
      recordings.map((recording, n) =>
        limit(() => this.look(recording, keys[n] ?? playableKey(recording), giveUp)),
      ),
    );
    return { entries: isOneMeeting(recordings) ? entries.map(asPart) : entries, giveUp };
  }

  private async look(recording: Recording, key: string, giveUp: AbortSignal): Promise<MediaEntry> {
    const info = await this.storage.head(key, giveUp);
    if (!info) throw mediaGone(recording);
    if (info.archived) throw mediaArchived(recording);
    return {
      key,
      recording,
      etag: info.etag,
      sizeBytes: info.sizeBytes,
      // As in the storage, where any room makes a safe path.
      name: key.slice(MEDIA_PREFIX.length),
      modifiedAtMs: recording.endedAt ?? info.lastModifiedMs,
    };
  }

  /**
   * The first source, opened. Not every store says by a look that an object is archived or may not be read, so one byte of
   * each of the others is asked for.
   */
  private async readable(entries: readonly MediaEntry[], giveUp: AbortSignal): Promise<Readable | null> {
    const [first, ...others] = entries;
    const limit = pLimit(LOOKS_AT_ONCE);
    await Promise.all(
      others
        .filter(({ sizeBytes }) => sizeBytes > 0)
        .map(({ key, recording }) =>
          limit(async () => {
            const opened = await orArchived(recording, this.storage.open(key, { first: 0, last: 0 }, giveUp));
            if (!opened) throw mediaGone(recording);
            opened.stream.destroy();
          }),
        ),
    );
    return first ? this.open(first, giveUp) : null;
  }

  private async open({ key, etag, recording }: MediaEntry, giveUp?: AbortSignal): Promise<Readable> {
    const opened = await orArchived(recording, this.storage.open(key, undefined, giveUp));
    if (!opened) throw mediaGone(recording);
    if (opened.info.etag === etag) return opened.stream;
    opened.stream.destroy();
    throw new Error(`the media of recording ${recording.id} was replaced`);
  }
}

/** Several, each of which goes on from the one before it. */
function isOneMeeting(recordings: readonly Recording[]): boolean {
  return (
    recordings.length > 1 &&
    recordings.every(({ continues }, n) => n === 0 || continues === recordings[n - 1]?.id)
  );
}

/** Named by its place among the parts, so that a player that opens them all plays them in order. */
function asPart(entry: MediaEntry, n: number): MediaEntry {
  const at = entry.name.lastIndexOf('/') + 1;
  const number = String(n + 1).padStart(2, '0');
  return { ...entry, name: `${entry.name.slice(0, at)}part-${number}_${entry.name.slice(at)}` };
}

function describe(reply: FastifyReply): FastifyReply {
  return reply
    .header('content-type', 'application/zip')
    .header('content-disposition', attachment('recordings.zip'))
    .header('cache-control', 'private, no-store')
    .header('x-content-type-options', 'nosniff');
}

function parseIds(ids: unknown): string[] {
  const texts = Array.isArray(ids) ? ids : [ids];
  const all = texts.flatMap((text) => (typeof text === 'string' ? text.split(',') : []));
  const each = [...new Set(all.map((id) => id.trim()).filter((id) => id !== ''))];
  if (each.length < 1 || each.length > MOST_IDS) {
    throw badInput('ids', `name 1 to ${MOST_IDS} recordings, separated by commas; these are ${each.length}`);
  }
  return each;
}
