import { Injectable } from '@nestjs/common';
import type { RecordingId } from '../../kernel/ids.js';
import type { EgressBucket, EgressOutput, EgressSeen } from '../../livekit/livekit.types.js';
import { parseMediaKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';

/** `stranger`: it writes to a key like ours, for another deployment. */
export type EgressOwner =
  | { readonly owner: 'ours'; readonly recordingId: RecordingId }
  | { readonly owner: 'stranger'; readonly recordingId: RecordingId }
  | { readonly owner: 'other-product' };

/**
 * Whose an egress is. Ours only where deployment and key both say so: the same bucket at the same endpoint, as LiveKit
 * echoes them, no mark of another deployment, and a key of ours. What is not ours is never touched.
 */
@Injectable()
export class OwnEgresses {
  constructor(private readonly storage: ObjectStorage) {}

  ownerOf(egress: EgressSeen): EgressOwner {
    const key = egress.filepath === null ? null : parseMediaKey(egress.filepath);
    if (key === null || egress.egressId === '') return { owner: 'other-product' };
    const { recordingId } = key;
    const output = this.storage.egressOutput(key.key);
    const ours = egress.filepath === output.filepath && isSameTarget(egress.bucket, output);
    return { owner: ours ? 'ours' : 'stranger', recordingId };
  }

  /** Null: not ours. */
  recordingOf(egress: EgressSeen): RecordingId | null {
    const found = this.ownerOf(egress);
    return found.owner === 'ours' ? found.recordingId : null;
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

function isSameTarget(bucket: EgressBucket | null, output: EgressOutput): boolean {
  // A folder has one path on one machine; an upload is never to a folder.
  if (output.kind === 'file') return bucket === null;
  return (
    bucket !== null &&
    bucket.name === output.bucket &&
    endpointOf(bucket.endpoint) === endpointOf(output.endpoint ?? '') &&
    // An egress without a mark was started before there were any.
    (bucket.deployment === null || bucket.deployment === output.deployment)
  );
}

/** Equal for two spellings of one address: the case of the host, the usual port and a slash at the end tell nothing. */
function endpointOf(text: string): string {
  if (!URL.canParse(text)) return text;
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname.replace(/\/$/, '')}`;
}
