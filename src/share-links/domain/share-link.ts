import type { RecordingId, RoomId } from '../../kernel/ids.js';

/** A link that opens one recording to whoever holds it; instants in ms. The token is kept as its SHA-256 (hex) alone. */
export interface ShareLink {
  readonly id: string;
  readonly tokenHash: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  /** Null: any number. */
  readonly maxViews: number | null;
  readonly views: number;
  readonly allowDownload: boolean;
  readonly lastViewedAt: number | null;
  readonly revokedAt: number | null;
}

/** The links of one recording, kept together. */
export interface ShareLinksDoc {
  readonly recordingId: RecordingId;
  readonly roomId: RoomId;
  readonly links: readonly ShareLink[];
}

export const SHARE_LINKS = 'links';
/** So long after a visit its media goes on playing, though it was the last view that the link allows. */
const VISIT_MS = 6 * 3_600_000;
/** How long a link that is over is still shown to who may share. */
const SHOWN_AFTER_END_MS = 30 * 86_400_000;

/** Every token and every id finds the document. */
export function handlesOf({ links }: ShareLinksDoc): string[] {
  return links.flatMap(({ id, tokenHash }) => [tokenHash, id]);
}

export type LinkState = 'open' | 'expired' | 'revoked' | 'used-up';

export function stateOf(link: ShareLink, now: number): LinkState {
  if (link.revokedAt !== null) return 'revoked';
  if (link.expiresAt <= now) return 'expired';
  return link.maxViews !== null && link.views >= link.maxViews ? 'used-up' : 'open';
}

/** Whether a request for the media belongs to a visit that was counted. `lengthMs` of the recording. */
export function isVisiting({ lastViewedAt }: ShareLink, lengthMs: number, now: number): boolean {
  return lastViewedAt !== null && now < lastViewedAt + Math.max(VISIT_MS, 2 * lengthMs);
}

export function viewed(link: ShareLink, now: number): ShareLink {
  return { ...link, views: link.views + 1, lastViewedAt: now };
}

export function withLink(
  doc: ShareLinksDoc,
  id: string,
  change: (link: ShareLink) => ShareLink,
): ShareLinksDoc {
  return { ...doc, links: doc.links.map((link) => (link.id === id ? change(link) : link)) };
}

/** Without links that have long been over. */
export function tidied(doc: ShareLinksDoc, now: number): ShareLinksDoc {
  const over = ({ revokedAt, expiresAt }: ShareLink): number => Math.min(revokedAt ?? Infinity, expiresAt);
  return { ...doc, links: doc.links.filter((link) => now < over(link) + SHOWN_AFTER_END_MS) };
}
