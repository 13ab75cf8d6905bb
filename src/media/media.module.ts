import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { StorageModule } from '../storage/storage.module.js';
import { ArchiveController } from './archive.controller.js';
import { MediaDoor } from './door.js';
import { LiveAnswer } from './live-answer.js';
import { LiveController } from './live.controller.js';
import { MediaAnswerModule } from './media-answer.module.js';
import { MediaLinksModule } from './media-links.module.js';
import { MediaController } from './media.controller.js';

@Module({})
export class MediaModule {
  /** `recordings` exports MediaCatalog. */
  static over(recordings: Type | DynamicModule): DynamicModule {
    return {
      module: MediaModule,
      imports: [StorageModule, MediaAnswerModule, MediaLinksModule, recordings],
      controllers: [ArchiveController, LiveController, MediaController],
      providers: [MediaDoor, LiveAnswer],
    };
  }
}
