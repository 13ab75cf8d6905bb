import { Injectable } from '@nestjs/common';
import type { RecordingId } from '../../kernel/ids.js';
import type { EgressSeen } from '../../livekit/livekit.types.js';
import { parseMediaKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';

/** An egress of ours is known by the object that it writes; another product's is left alone. */
@Injectable()
export class OwnEgresses {
  constructor(private readonly storage: ObjectStorage) {}

  /** Null: not ours. */
  recordingOf(egress: EgressSeen): RecordingId | null {
    const subject = egress.filepath === null ? null : parseMediaKey(egress.filepath);
    if (subject === null || egress.egressId === '') return null;
    return egress.filepath === this.storage.egressOutput(subject.key).filepath ? subject.recordingId : null;
  }

  byRecording(egresses: readonly EgressSeen[]): Map<RecordingId, EgressSeen[]> {
    const found = new Map<RecordingId, EgressSeen[]>();
    for (const egress of egresses) {
      const id = this.recordingOf(egress);
      if (id !== null) found.set(id, [...(found.get(id) ?? []), egress]);
    }
    return found;
  }
}
