import { Module } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { MediaAnswer } from './media-answer.js';

/** Apart from the doors to it: a share link is another. */
@Module({ imports: [StorageModule], providers: [MediaAnswer], exports: [MediaAnswer] })
export class MediaAnswerModule {}
