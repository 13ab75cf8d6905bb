import { Injectable } from '@nestjs/common';
import { parseRoomId, type RecordingId } from '../../kernel/ids.js';
import { canonicalAddress } from '../../kernel/url.js';
import type { EgressBucket, EgressOutput, EgressSeen } from '../../livekit/livekit.types.js';
import { artifactsOf, parseMediaKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';

/** `stranger`: it writes to a key like ours, for another deployment. */
export type EgressOwner =
  | { readonly owner: 'ours'; readonly recordingId: RecordingId }
  | { readonly owner: 'stranger'; readonly recordingId: RecordingId }
  | { readonly owner: 'other-product' };

/**
 * Whose an egress is. Ours only where deployment and key both say so: the same bucket at the same endpoint, as LiveKit
 * echoes them, no mark of another deployment, and the key of a recording in the room that is recorded. A request without
 * a bucket has no place for a mark: there the absolute path is the identity. What is not ours is never touched.
 */
@Injectable()
export class OwnEgresses {
  constructor(private readonly storage: ObjectStorage) {}

  ownerOf(egress: EgressSeen): EgressOwner {
    const key = egress.filepath === null ? null : parseMediaKey(egress.filepath);
    if (key === null || egress.egressId === '') return { owner: 'other-product' };
    const { recordingId } = key;
    const output = this.storage.egressOutput(key.key);
    const ours =
      egress.filepath === output.filepath &&
      isOfItsRoom(key.key, recordingId, egress.roomName) &&
      isSameTarget(egress.bucket, output);
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

/** A long room's name can't be read from a key, but its key can be told from the name. */
function isOfItsRoom(key: string, id: RecordingId, roomName: string): boolean {
  const roomId = parseRoomId(roomName);
  return roomId !== null && artifactsOf({ id, roomId }).media.includes(key);
}

function isSameTarget(bucket: EgressBucket | null, output: EgressOutput): boolean {
  // A folder has one path on one machine; an upload is never to a folder.
  if (output.kind === 'file') return bucket === null;
  return (
    bucket !== null &&
    bucket.name === output.bucket &&
    canonicalAddress(bucket.endpoint) === canonicalAddress(output.endpoint ?? '') &&
    // An egress without a mark was started before there were any.
    (bucket.deployment === null || bucket.deployment === output.deployment)
  );
}
