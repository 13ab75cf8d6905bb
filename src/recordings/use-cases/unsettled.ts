import { Injectable } from '@nestjs/common';
import type { RecordingId } from '../../kernel/ids.js';
import type { StoredRecording } from '../domain/recording.js';
import { RecordingStore } from '../store/recording.store.js';

const AT_ONCE = 200;

/** Every recording that somebody has to come back to, in bounded steps. */
@Injectable()
export class Unsettled {
  constructor(private readonly store: RecordingStore) {}

  async *all(): AsyncGenerator<StoredRecording, void> {
    let after: RecordingId | null = null;
    for (;;) {
      const ids: RecordingId[] = await this.store.unsettled(after, AT_ONCE);
      const recordings = await Promise.all(ids.map((id) => this.store.get(id)));
      for (const recording of recordings) if (recording !== null) yield recording;
      if (ids.length < AT_ONCE) return;
      after = ids.at(-1) ?? null;
    }
  }
}
