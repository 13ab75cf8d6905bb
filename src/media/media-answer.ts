import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Config } from '../config/config.js';
import { TallyError } from '../kernel/errors.js';
import type { Recording } from '../recordings/domain/recording.js';
import { mediaExtension } from '../storage/object-keys.js';
import { type ObjectInfo, ObjectStorage } from '../storage/object-storage.port.js';
import { type AnswerPlan, planAnswer } from './answer-plan.js';
import { toHttpDate } from './http-date.js';
import { attachment, mediaFilename } from './media-filename.js';
import { mediaArchived, mediaGone, orArchived, playableKey } from './playable.js';
import { sendBody } from './send-body.js';

/** From the request to the first byte, over everything that the storage is asked. */
const FIRST_BYTE_WITHIN_MS = 5_000;
/** How often media that is replaced between two looks at it is looked at again. */
const LOOKS = 3;

export interface MediaWish {
  /** To be saved under a name for a person's disk. */
  readonly download: boolean;
  /** How long an address of the bucket may live that is given out in place of the media; null: none may be. */
  readonly addressForMs: number | null;
}

/** Answers a request for the media of a recording, whoever let it in. */
@Injectable()
export class MediaAnswer {
  constructor(
    private readonly storage: ObjectStorage,
    private readonly config: Config,
  ) {}

  /** Throws RECORDING_NOT_STOPPED, MEDIA_GONE, RANGE_NOT_SATISFIABLE, STORAGE_UNAVAILABLE. */
  async send(
    recording: Recording,
    wish: MediaWish,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const key = playableKey(recording);
    const giveUp = AbortSignal.timeout(FIRST_BYTE_WITHIN_MS);
    for (let look = 0; look < LOOKS; look += 1) {
      const info = await this.storage.head(key, giveUp);
      if (!info) throw mediaGone(recording);
      if (info.archived) throw mediaArchived(recording);
      const plan = planAnswer(request.method, request.headers, info);
      if (plan.kind === 'unsatisfiable') throw unsatisfiable(recording, info, reply);
      if (plan.kind === 'not-modified' || plan.kind === 'failed' || request.method === 'HEAD') {
        sendHead(reply, recording, info, plan, wish.download);
        return;
      }
      const address = await this.addressOf(recording, info, wish, giveUp);
      if (address !== null) {
        // It is signed anew for each request: one that is kept would outlive what it was given out for.
        void reply.header('cache-control', 'private, no-store').redirect(address, 307);
        return;
      }
      const span = plan.kind === 'part' ? plan.span : undefined;
      const opened = await orArchived(recording, this.storage.open(key, span, giveUp));
      if (!opened) throw mediaGone(recording);
      if (opened.info.etag === info.etag && opened.info.sizeBytes === info.sizeBytes) {
        describe(reply, recording, info, plan, wish.download);
        sendBody(reply, opened.stream, lengthOf(info, plan), recording.id);
        return;
      }
      opened.stream.destroy();
    }
    throw new TallyError('STORAGE_UNAVAILABLE', `the media of recording ${recording.id} is being replaced`);
  }

  /** Null where the media itself is to be sent. Throws what the bucket would refuse, as nobody is there to say it in our words. */
  private async addressOf(
    recording: Recording,
    { key, sizeBytes }: ObjectInfo,
    { download, addressForMs }: MediaWish,
    giveUp: AbortSignal,
  ): Promise<string | null> {
    if (this.config.mediaDelivery !== 'redirect' || addressForMs === null) return null;
    const lifeS = Math.max(1, Math.floor(addressForMs / 1_000));
    const answer = {
      contentType: contentTypeOf(recording),
      contentDisposition: download ? attachment(mediaFilename(recording)) : undefined,
    };
    const address = await this.storage.presign(key, lifeS, answer, giveUp);
    if (address !== null && sizeBytes > 0) {
      const opened = await orArchived(recording, this.storage.open(key, { first: 0, last: 0 }, giveUp));
      if (!opened) throw mediaGone(recording);
      opened.stream.destroy();
    }
    return address;
  }
}

function sendHead(
  reply: FastifyReply,
  recording: Recording,
  info: ObjectInfo,
  plan: AnswerPlan,
  download: boolean,
): void {
  describe(reply, recording, info, plan, download);
  if (plan.kind === 'whole') reply.header('content-length', info.sizeBytes);
  void reply.send();
}

function describe(
  reply: FastifyReply,
  recording: Recording,
  info: ObjectInfo,
  plan: AnswerPlan,
  download: boolean,
): void {
  reply
    .header('accept-ranges', 'bytes')
    .header('etag', `"${info.etag}"`)
    .header('last-modified', toHttpDate(info.lastModifiedMs))
    // Whoever may see it may keep it, and asks again whether it is still there.
    .header('cache-control', 'private, no-cache')
    .header('x-content-type-options', 'nosniff');
  if (plan.kind === 'failed') reply.status(412);
  if (plan.kind === 'not-modified') reply.status(304);
  if (plan.kind !== 'whole' && plan.kind !== 'part') return;
  reply.header('content-type', contentTypeOf(recording));
  if (download) reply.header('content-disposition', attachment(mediaFilename(recording)));
  if (plan.kind === 'whole') return;
  const { first, last } = plan.span;
  reply.status(206).header('content-range', `bytes ${first}-${last}/${info.sizeBytes}`);
}

function contentTypeOf(recording: Recording): string {
  const kind = recording.audioOnly ? 'audio' : 'video';
  return `${kind}/${mediaExtension(recording)}`;
}

function lengthOf(info: ObjectInfo, plan: AnswerPlan): number {
  return plan.kind === 'part' ? plan.span.last - plan.span.first + 1 : info.sizeBytes;
}

function unsatisfiable(recording: Recording, info: ObjectInfo, reply: FastifyReply): TallyError {
  reply.header('content-range', `bytes */${info.sizeBytes}`).header('accept-ranges', 'bytes');
  return new TallyError(
    'RANGE_NOT_SATISFIABLE',
    `the media of recording ${recording.id} has ${info.sizeBytes} bytes; ask for a range within them`,
    { recordingId: recording.id },
  );
}
