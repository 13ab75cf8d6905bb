import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { MediaTokens } from './media-token.js';

/** Where the media of a recording is found. Whether there is any is not asked here. */
@Injectable()
export class MediaLinks {
  constructor(
    private readonly config: Config,
    private readonly tokens: MediaTokens,
  ) {}

  /** A path on this server. */
  path(id: string): string {
    return `/recordings/${id}/media`;
  }

  /** For a player, which can't send a header. Throws BAD_USER_INPUT for a time outside of 1 to 86400 seconds. */
  url(id: string, expiresInSeconds: number): string {
    return `${this.config.publicUrl}${this.path(id)}?token=${this.tokens.sign(id, expiresInSeconds)}`;
  }
}
