import { isFinal, type Recording } from './recording.js';

/** Whether all that its segments hold is in its file as well. Where there is no file, they are all that is left, and stay. */
export function areSegmentsSpare({ crashProof, status, hasMedia, sizeBytes }: Recording): boolean {
  return crashProof && isFinal(status) && hasMedia && sizeBytes !== 0;
}
