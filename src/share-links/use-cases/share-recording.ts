import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log.js';
import { may, requireRight } from '../../auth/rights.js';
import { shown } from '../../kernel/shown.js';
import { Config } from '../../config/config.js';
import type { Actor } from '../../kernel/actor.js';
import { Clock } from '../../kernel/clock.js';
import { badInput, TallyError } from '../../kernel/errors.js';
import { newAddressToken, newShareLinkId, type RecordingId, type RoomId } from '../../kernel/ids.js';
import { KeptStore } from '../../kept/kept.store.js';
import { KeptWriter } from '../../kept/kept.writer.js';
import { FindRecordings } from '../../recordings/use-cases/find-recordings.js';
import {
  handlesOf,
  SHARE_LINKS,
  type ShareLink,
  type ShareLinksDoc,
  tidied,
  withLink,
} from '../domain/share-link.js';

const MOST_SHARED_RECORDINGS = 50_000;
const MOST_LINKS = 100;

export interface NewShareLink {
  readonly recordingId: string;
  readonly expiresInSeconds: number;
  readonly maxViews: number | null;
  readonly allowDownload: boolean;
}

export interface ShareLinkSeen extends Omit<ShareLink, 'tokenHash'> {
  readonly recordingId: RecordingId;
}

/** The url is nowhere but here. */
export interface ShareLinkMade {
  readonly shareLink: ShareLinkSeen;
  readonly url: string;
}

/** Links to recordings, for who may share what it may read. */
@Injectable()
export class ShareRecording {
  constructor(
    private readonly recordings: FindRecordings,
    private readonly store: KeptStore,
    private readonly writer: KeptWriter,
    private readonly audit: AuditLog,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** Throws RECORDING_NOT_FOUND, FORBIDDEN, BAD_USER_INPUT, STORAGE_UNAVAILABLE, and then there is no such link. */
  async create(wanted: NewShareLink, actor: Actor): Promise<ShareLinkMade> {
    const { id: recordingId, roomId } = await this.recordings.one(wanted.recordingId, actor);
    requireRight(actor, 'share', roomId, 'share a recording');
    const now = this.clock.now();
    const token = newAddressToken();
    const link: ShareLink = {
      id: newShareLinkId(now),
      tokenHash: hashToken(token),
      createdAt: now,
      createdBy: actor.name,
      expiresAt: now + wanted.expiresInSeconds * 1_000,
      maxViews: wanted.maxViews,
      views: 0,
      allowDownload: wanted.allowDownload,
      lastViewedAt: null,
      revokedAt: null,
    };
    await this.add(recordingId, roomId, link, actor);
    return { shareLink: seenOf(recordingId, link), url: `${this.config.publicUrl}/s/${token}` };
  }

  /** In force at once, also while the storage is away. Throws SHARE_LINK_NOT_FOUND, FORBIDDEN. */
  async revoke(id: string, actor: Actor): Promise<ShareLinkSeen> {
    const kept = await this.store.find<ShareLinksDoc>(SHARE_LINKS, id);
    const link = kept?.doc.links.find((one) => one.id === id);
    if (!kept || !link || !may(actor, 'read', kept.doc.roomId)) throw shareLinkNotFound(id);
    requireRight(actor, 'share', kept.doc.roomId, 'revoke a share link');
    const revokedAt = this.clock.now();
    const subject = id;
    const detail = { recordingId: kept.doc.recordingId };
    const done = await this.writer.update<ShareLinksDoc>(
      SHARE_LINKS,
      kept.id,
      ({ doc }) => {
        if (doc.links.every((one) => one.id !== id || one.revokedAt !== null)) return null;
        return changeOf(withLink(doc, id, (one) => ({ ...one, revokedAt })));
      },
      {
        durable: 'soon',
        also: () => [
          this.audit.addition({ actor: actor.name, action: 'share_link.revoked', subject, detail }),
        ],
      },
    );
    const after = done?.doc.links.find((one) => one.id === id);
    if (!done || !after) throw shareLinkNotFound(id);
    return seenOf(done.doc.recordingId, after);
  }

  /** Newest first. Null: the caller may not share it. Throws REDIS_UNAVAILABLE. */
  async linksOf(recordingId: RecordingId, roomId: RoomId, actor: Actor): Promise<ShareLinkSeen[] | null> {
    if (!may(actor, 'share', roomId)) return null;
    const kept = await this.store.get<ShareLinksDoc>(SHARE_LINKS, recordingId);
    return (kept?.doc.links ?? []).map((link) => seenOf(recordingId, link)).toReversed();
  }

  private async add(recordingId: RecordingId, roomId: RoomId, link: ShareLink, actor: Actor): Promise<void> {
    const detail = {
      recordingId,
      expiresAt: new Date(link.expiresAt).toISOString(),
      maxViews: link.maxViews,
    };
    const told = this.audit.addition({
      ...{ actor: actor.name, action: 'share_link.created', subject: link.id, detail },
    });
    await this.writer.upsert<ShareLinksDoc>(
      SHARE_LINKS,
      recordingId,
      (kept) => {
        const doc = kept?.doc ?? { recordingId, roomId, links: [] };
        const { links } = tidied(doc, this.clock.now());
        if (links.length >= MOST_LINKS)
          throw badInput(
            'input.recordingId',
            `has ${MOST_LINKS} share links already; revoked ones go after a month`,
          );
        return changeOf({ ...doc, links: [...links, link] });
      },
      { most: MOST_SHARED_RECORDINGS, also: [told] },
    );
  }
}

/** A fast hash on purpose: tokens have 256 random bits. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function changeOf(doc: ShareLinksDoc) {
  return { doc, handles: handlesOf(doc) };
}

function seenOf(recordingId: RecordingId, { tokenHash: _hash, ...link }: ShareLink): ShareLinkSeen {
  return { ...link, recordingId };
}

function shareLinkNotFound(id: string): TallyError {
  return new TallyError('SHARE_LINK_NOT_FOUND', `there is no share link ${shown(id)}`);
}
