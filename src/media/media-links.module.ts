import { Module } from '@nestjs/common';
import { MediaLinks } from './media-links.js';
import { MediaTokens } from './media-token.js';

/** Apart from the media itself: recordings show links, and the media needs recordings. */
@Module({ providers: [MediaTokens, MediaLinks], exports: [MediaTokens, MediaLinks] })
export class MediaLinksModule {}
