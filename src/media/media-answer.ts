import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TallyError } from '../kernel/errors.js';
import type { Recording } from '../recordings/domain/recording.js';
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

/** Answers a request for the media of a recording, whoever let it in. */
@Injectable()
export class MediaAnswer {
  constructor(private readonly storage: ObjectStorage) {}

  /** Throws RECORDING_NOT_STOPPED, MEDIA_GONE, RANGE_NOT_SATISFIABLE, STORAGE_UNAVAILABLE. */
  async send(
    recording: Recording,
    download: boolean,
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
        sendHead(reply, recording, info, plan, download);
        return;
      }
      const span = plan.kind === 'part' ? plan.span : undefined;
      const opened = await orArchived(recording, this.storage.open(key, span, giveUp));
      if (!opened) throw mediaGone(recording);
      if (opened.info.etag === info.etag && opened.info.sizeBytes === info.sizeBytes) {
        describe(reply, recording, info, plan, download);
        sendBody(reply, opened.stream, lengthOf(info, plan), recording.id);
        return;
      }
      opened.stream.destroy();
    }
    throw new TallyError('STORAGE_UNAVAILABLE', `the media of recording ${recording.id} is being replaced`);
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
  reply.header('content-type', recording.audioOnly ? 'audio/ogg' : 'video/mp4');
  if (download) reply.header('content-disposition', attachment(mediaFilename(recording)));
  if (plan.kind === 'whole') return;
  const { first, last } = plan.span;
  reply.status(206).header('content-range', `bytes ${first}-${last}/${info.sizeBytes}`);
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
