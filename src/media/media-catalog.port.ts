import type { Actor } from '../kernel/actor.js';
import type { Recording } from '../recordings/domain/recording.js';

/** What the media has to know of recordings. */
export abstract class MediaCatalog {
  /** `actor` null: whoever holds a media token for it. Throws RECORDING_NOT_FOUND for what is not there or may not be seen. */
  abstract find(id: string, actor: Actor | null): Promise<Recording>;
}
