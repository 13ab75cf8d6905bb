import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { LONGEST_SECONDS, MediaTokens } from './media-token.js';

const AN_HOUR_S = 3_600;

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

  /** Of the live playlist, while it is made. */
  livePath(id: string): string {
    return `/recordings/${id}/live.m3u8`;
  }

  /** How long a link lives that nobody said a time for: as long as it takes to play, and an hour. In seconds. */
  lifeOf(durationMs: number | null): number {
    const length = Math.ceil(Math.max(0, durationMs ?? 0) / 1_000);
    return Math.min(length + AN_HOUR_S, LONGEST_SECONDS);
  }

  /** For a player, which can't send a header. Throws BAD_USER_INPUT for a time outside of 1 to 86400 seconds. */
  url(id: string, expiresInSeconds: number): string {
    return `${this.config.publicUrl}${this.path(id)}?token=${this.tokens.sign(id, expiresInSeconds)}`;
  }
}
