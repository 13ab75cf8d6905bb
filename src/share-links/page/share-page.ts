import { createHash } from 'node:crypto';
import { isFinal, type Recording } from '../../recordings/domain/recording.js';
import type { ShareLink } from '../domain/share-link.js';

const STYLE = `
:root { color-scheme: light dark; --back: #f6f7f9; --text: #16181d; --soft: #565d6b; --line: #d9dde5; --accent: #1f5fd0; }
@media (prefers-color-scheme: dark) { :root { --back: #111318; --text: #eceef2; --soft: #a3abba; --line: #2b303b; --accent: #8ab4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.25rem; line-height: 1.3; margin: .5rem 0; overflow-wrap: anywhere; }
p { margin: .5rem 0; color: var(--soft); }
video, audio { display: block; width: 100%; margin: 1rem 0; border-radius: .5rem; }
video { background: #000; max-height: 75vh; aspect-ratio: 16 / 9; }
a { color: var(--accent); }
a:focus-visible, video:focus-visible, audio:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
footer { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .5rem; font-size: .875rem; }
`;

/** No script, nothing from elsewhere, in nobody's frame. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "media-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `token` is base64url and needs no escaping. Addresses are relative, so that they hold under any base path. */
export function sharePage(token: string, link: ShareLink, recording: Recording): string {
  const { roomName, audioOnly, startedAt, requestedAt, durationMs, status, hasMedia } = recording;
  const length = durationMs === null ? '' : ` · ${lengthOf(durationMs)}`;
  const about = `<p>Recorded ${instant(startedAt ?? requestedAt)}${length}</p>`;
  const src = `${token}/media`;
  const guard = link.allowDownload ? '' : ' controlslist="nodownload"';
  const tag = audioOnly ? 'audio' : 'video playsinline';
  const player = `<${tag} controls preload="metadata"${guard} src="${src}">This browser can not play it.</${audioOnly ? 'audio' : 'video'}>`;
  const download = link.allowDownload ? `<p><a href="${src}?download=1" download>Download</a></p>` : '';
  const middle = !isFinal(status)
    ? '<p>The recording is still in progress. Open this link again when it is over.</p>'
    : hasMedia
      ? `${player}${download}`
      : '<p>This recording left nothing to play.</p>';
  const views = link.maxViews === null ? '' : ` It was opened ${link.views} of ${link.maxViews} times.`;
  const footer = `<footer><p>This link ends ${instant(link.expiresAt)}.${views}</p></footer>`;
  return page(escapeHtml(roomName), `${about}${middle}${footer}`);
}

/** The same for a link that ended and for one that never was, but for the status. */
export function overPage(): string {
  return page(
    'There is nothing here',
    '<p>This link is unknown, has ended or was revoked. Ask whoever sent it for a new one.</p>',
  );
}

export function awayPage(): string {
  return page(
    'Not available right now',
    '<p>The recording can not be shown right now. Try again in a moment.</p>',
  );
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body><main><h1>${title}</h1>${body}</main></body>
</html>
`;
}

function instant(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

function lengthOf(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const two = (n: number): string => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
