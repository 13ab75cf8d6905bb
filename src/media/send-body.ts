import { pipeline, type Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ExactLength } from './exact-length.js';

const log = new Logger('Media');

/**
 * Sends a body of a known length, as fast as the client takes it. Whoever goes away first frees the other at once: a
 * client that left destroys the source; a source that broke off destroys the connection, so that no client takes what
 * it has for the whole.
 */
export function sendBody(reply: FastifyReply, source: Readable, sizeBytes: number, recordings: string): void {
  const body = new ExactLength(sizeBytes);
  const { raw } = reply;
  pipeline(source, body, (error) => {
    if (!error || raw.destroyed) return;
    log.error({ message: 'media broke off', recordings, err: error });
    raw.destroy();
  });
  // Who left while the source was being opened has nobody to tell that it is open; from here on Fastify does.
  if (raw.destroyed) body.destroy();
  else void reply.header('content-length', sizeBytes).send(body);
}
