import { Injectable } from '@nestjs/common';
import { isUnsettled } from '../recordings/domain/slot.js';
import type { StoredRecording } from '../recordings/domain/recording.js';
import { RecordingStore } from '../recordings/store/recording.store.js';
import type { SweepPass } from './sweep.js';

/** Recordings that somebody has to come back to, by their own rows, while Redis has lost that they are among those. */
@Injectable()
export class ForgottenRecordings {
  constructor(private readonly store: RecordingStore) {}

  async look(pass: SweepPass, recording: StoredRecording): Promise<void> {
    const { id, status } = recording;
    if (!isUnsettled(recording) || (await this.store.isKeptUnsettled(id))) return;
    await pass.found(
      {
        kind: 'FORGOTTEN_RECORDING',
        subject: id,
        action: 'come back to it again',
        detail: `it is ${status}, and Redis did not know that somebody has to come back to it`,
      },
      async () => void (await this.store.keepUnsettled(recording)),
    );
  }
}
