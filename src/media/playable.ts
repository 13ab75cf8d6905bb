import { TallyError } from '../kernel/errors.js';
import { isFinal, type Recording } from '../recordings/domain/recording.js';
import { mediaKey } from '../storage/object-keys.js';
import { ObjectArchived } from '../storage/storage-errors.js';

/** The key of the media of a recording that is over. Throws RECORDING_NOT_STOPPED while it runs, MEDIA_GONE where it left none. */
export function playableKey(recording: Recording): string {
  const { id, status, hasMedia } = recording;
  if (!isFinal(status)) {
    throw new TallyError(
      'RECORDING_NOT_STOPPED',
      `recording ${id} is ${status}; its media comes when it ends`,
      {
        recordingId: id,
      },
    );
  }
  if (!hasMedia) {
    throw new TallyError('MEDIA_GONE', `recording ${id} is ${status} and left no media`, { recordingId: id });
  }
  return mediaKey(recording);
}

export function mediaGone(recording: Recording): TallyError {
  const { id } = recording;
  return new TallyError('MEDIA_GONE', `the media of recording ${id} is no longer in the storage`, {
    recordingId: id,
  });
}

/** It is there and can't be read: somebody, or a rule of the bucket, moved it to an archive class. */
export function mediaArchived(recording: Recording): TallyError {
  const { id } = recording;
  return new TallyError(
    'MEDIA_GONE',
    `the media of recording ${id} was moved to an archive of the storage; it can be read once it is restored there`,
    { recordingId: id },
  );
}

/** What the storage gives of a recording's media, an archived object told as MEDIA_GONE. */
export async function orArchived<T>(recording: Recording, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof ObjectArchived ? mediaArchived(recording) : error;
  }
}
