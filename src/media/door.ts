import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Credentials } from '../auth/credentials.js';
import type { Actor } from '../kernel/actor.js';
import { TallyError } from '../kernel/errors.js';
import type { Recording } from '../recordings/domain/recording.js';
import { MediaCatalog } from './media-catalog.port.js';
import { MediaTokens } from './media-token.js';

/** Who may have which recording's media. */
@Injectable()
export class MediaDoor {
  constructor(
    private readonly credentials: Credentials,
    private readonly tokens: MediaTokens,
    private readonly catalog: MediaCatalog,
  ) {}

  /** By the media token where one came (whatever else came), else by the credential. Throws UNAUTHENTICATED, RATE_LIMITED, RECORDING_NOT_FOUND. */
  async one(id: string, token: unknown, request: FastifyRequest): Promise<Recording> {
    if (token === undefined) {
      return this.catalog.find(id, await this.enter(request));
    }
    if (typeof token !== 'string' || !this.tokens.verify(token, id)) {
      await this.credentials.countWrong(request.ip);
      throw new TallyError(
        'UNAUTHENTICATED',
        'this media link is not for this recording or has expired; ask for a new one',
      );
    }
    await this.credentials.countHolder(`media ${token}`);
    return this.catalog.find(id, null);
  }

  /** By credential alone: a media token opens one recording. Throws UNAUTHENTICATED. */
  async enter(request: FastifyRequest): Promise<Actor> {
    return this.credentials.authenticate(request.headers.authorization, request.ip);
  }

  /** Throws RECORDING_NOT_FOUND for the first that is not there or may not be seen. */
  async all(ids: readonly string[], actor: Actor): Promise<Recording[]> {
    const recordings: Recording[] = [];
    for (const id of ids) recordings.push(await this.catalog.find(id, actor));
    return recordings;
  }
}
