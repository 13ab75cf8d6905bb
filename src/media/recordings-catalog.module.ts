import { Module } from '@nestjs/common';
import { RecordingsModule } from '../recordings/recordings.module.js';
import { MediaCatalog } from './media-catalog.port.js';
import { RecordingsCatalog } from './recordings-catalog.js';

/** The media's view of the recordings. */
@Module({
  imports: [RecordingsModule],
  providers: [{ provide: MediaCatalog, useClass: RecordingsCatalog }],
  exports: [MediaCatalog],
})
export class RecordingsCatalogModule {}
