import { Injectable } from '@nestjs/common';
import type { Actor } from '../kernel/actor.js';
import type { Recording } from '../recordings/domain/recording.js';
import { FindRecordings } from '../recordings/use-cases/find-recordings.js';
import { MediaCatalog } from './media-catalog.port.js';

@Injectable()
export class RecordingsCatalog extends MediaCatalog {
  constructor(private readonly recordings: FindRecordings) {
    super();
  }

  find(id: string, actor: Actor | null): Promise<Recording> {
    return this.recordings.one(id, actor ?? 'media-token');
  }
}
