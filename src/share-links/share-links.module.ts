import { Module } from '@nestjs/common';
import { MediaAnswerModule } from '../media/media-answer.module.js';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { RecordingShareLinksResolver } from './graphql/recording-share-links.resolver.js';
import { ShareLinkResolver } from './graphql/share-link.resolver.js';
import { SharePageController } from './page/share-page.controller.js';
import { OpenShareLink } from './use-cases/open-share-link.js';
import { ShareRecording } from './use-cases/share-recording.js';
import { TidyShareLinks } from './use-cases/tidy-share-links.js';

@Module({
  imports: [RecordingsModule, MediaAnswerModule],
  controllers: [SharePageController],
  providers: [ShareRecording, OpenShareLink, TidyShareLinks, ShareLinkResolver, RecordingShareLinksResolver],
})
export class ShareLinksModule {}
