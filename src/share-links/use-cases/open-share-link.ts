import { Injectable } from '@nestjs/common';
import { Clock } from '../../kernel/clock.js';
import type { RecordingId } from '../../kernel/ids.js';
import { KeptStore } from '../../kept/kept.store.js';
import { KeptWriter } from '../../kept/kept.writer.js';
import { isFinal, type StoredRecording } from '../../recordings/domain/recording.js';
import { FindRecordings } from '../../recordings/use-cases/find-recordings.js';
import {
  isVisiting,
  SHARE_LINKS,
  type ShareLink,
  type ShareLinksDoc,
  stateOf,
  viewed,
  withLink,
} from '../domain/share-link.js';
import { changeOf, hashToken } from './share-recording.js';

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** `unknown`: nobody made such a link; `over`: it was one, or its recording is gone. */
export type Opened =
  | { readonly kind: 'open'; readonly link: ShareLink; readonly recording: StoredRecording }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'over' };

/** What the holder of a share link gets. Nothing is remembered in between: what is revoked is over with the next request. */
@Injectable()
export class OpenShareLink {
  constructor(
    private readonly recordings: FindRecordings,
    private readonly store: KeptStore,
    private readonly writer: KeptWriter,
    private readonly clock: Clock,
  ) {}

  /** Shown without being counted. Throws REDIS_UNAVAILABLE, as do all. */
  async look(token: string): Promise<Opened> {
    const found = await this.find(token);
    if (found === null) return { kind: 'unknown' };
    const { link, recording } = found;
    if (recording === null || stateOf(link, this.clock.now()) !== 'open') return { kind: 'over' };
    return { kind: 'open', link, recording };
  }

  /** Counted, unless there is nothing to view yet. */
  async visit(token: string): Promise<Opened> {
    const looked = await this.look(token);
    if (looked.kind !== 'open' || !isFinal(looked.recording.status)) return looked;
    const link = await this.count(looked.recording.id, looked.link.id);
    return link === null ? { kind: 'over' } : { ...looked, link };
  }

  /** For its media: part of a visit that was counted, or else a visit of its own. */
  async media(token: string): Promise<Opened> {
    const found = await this.find(token);
    if (found === null) return { kind: 'unknown' };
    const { link, recording } = found;
    const now = this.clock.now();
    const state = stateOf(link, now);
    if (recording === null || state === 'revoked' || state === 'expired') return { kind: 'over' };
    if (link.maxViews === null || isVisiting(link, recording.durationMs ?? 0, now)) {
      return { kind: 'open', link, recording };
    }
    return this.visit(token);
  }

  private async find(
    token: string,
  ): Promise<{ readonly link: ShareLink; readonly recording: StoredRecording | null } | null> {
    if (!TOKEN.test(token)) return null;
    const tokenHash = hashToken(token);
    const kept = await this.store.find<ShareLinksDoc>(SHARE_LINKS, tokenHash);
    const link = kept?.doc.links.find((one) => one.tokenHash === tokenHash);
    if (!kept || !link) return null;
    return { link, recording: await this.recordings.stored(kept.doc.recordingId) };
  }

  /** The link as the view left it; null: another took the last one, or it is over by now. */
  private async count(recordingId: RecordingId, id: string): Promise<ShareLink | null> {
    const now = this.clock.now();
    let counted = false;
    const kept = await this.writer.update<ShareLinksDoc>(
      SHARE_LINKS,
      recordingId,
      ({ doc }) => {
        const link = doc.links.find((one) => one.id === id);
        counted = link !== undefined && stateOf(link, now) === 'open';
        return counted ? changeOf(withLink(doc, id, (one) => viewed(one, now))) : null;
      },
      { durable: 'later' },
    );
    return counted ? (kept?.doc.links.find((one) => one.id === id) ?? null) : null;
  }
}
