import { isFinal } from '../../../src/recordings/domain/recording.js';
import { mediaKey } from '../../../src/storage/object-keys.js';
import { toRecordingView } from '../../../src/recordings/graphql/recording.view.js';
import { type Invariant, Lasting } from './invariant.js';

/** In calm: what the last report would have told is found in the list or in the bucket. */
const BOUND_MS = 90_000;

/** I8: a recording that is over and whose media is in the bucket shows it within the bound, whatever its status. */
export function mediaIsShown(): Invariant {
  const lasting = new Lasting(BOUND_MS);
  return {
    name: 'I8',
    second: (world) => {
      const hidden = world
        .rows()
        .filter((row) => isFinal(row.status) && row.upkeep.deletion === null && !row.upkeep.deleted)
        .filter((row) => world.bucket.get(mediaKey(row)) !== undefined)
        .filter((row) => !toRecordingView(row).isPlayable);
      const found = lasting.longest(
        world,
        hidden.map(({ id }) => id),
      );
      return found === null ? null : `${found} hides its media`;
    },
  };
}
