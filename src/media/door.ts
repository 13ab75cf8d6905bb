import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Credentials } from '../auth/credentials.js';
import type { Actor } from '../kernel/actor.js';
import { Clock } from '../kernel/clock.js';
import { TallyError } from '../kernel/errors.js';
import type { Recording } from '../recordings/domain/recording.js';
import { MediaCatalog } from './media-catalog.port.js';
import { MediaTokens } from './media-token.js';

/** Of a credential that does not end by itself. */
const LONGEST_OPEN_MS = 6 * 3_600_000;

export interface Admitted {
  readonly recording: Recording;
  /** For how long what is handed out instead of the media may open it. */
  readonly openForMs: number;
}

/** Who may have which recording's media. */
@Injectable()
export class MediaDoor {
  constructor(
    private readonly credentials: Credentials,
    private readonly tokens: MediaTokens,
    private readonly catalog: MediaCatalog,
    private readonly clock: Clock,
  ) {}

  /** By the media token where one came (whatever else came), else by the credential. Throws UNAUTHENTICATED, RATE_LIMITED, RECORDING_NOT_FOUND. */
  async one(id: string, token: unknown, request: FastifyRequest): Promise<Admitted> {
    const now = this.clock.now();
    if (token === undefined) {
      const { actor, expiresAt } = await this.credentials.identify(request.headers.authorization, request.ip);
      const openForMs = Math.min((expiresAt ?? Infinity) - now, LONGEST_OPEN_MS);
      return { recording: await this.catalog.find(id, actor), openForMs };
    }
    const endsAt = typeof token === 'string' ? this.tokens.endOf(token, id) : null;
    if (endsAt === null) {
      await this.credentials.countWrong(request.ip);
      throw new TallyError(
        'UNAUTHENTICATED',
        'this media link is not for this recording or has expired; ask for a new one',
      );
    }
    await this.credentials.countHolder(`media ${token}`);
    return { recording: await this.catalog.find(id, null), openForMs: endsAt - now };
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
