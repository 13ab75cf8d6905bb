import { parseHttpDate } from './http-date.js';

/** What identifies the bytes as they are now. */
export interface Validators {
  /** Without quotes, strong. */
  readonly etag: string;
  readonly lastModifiedMs: number;
}

export interface ConditionalHeaders {
  readonly 'if-match'?: string;
  readonly 'if-none-match'?: string;
  readonly 'if-modified-since'?: string;
  readonly 'if-unmodified-since'?: string;
  readonly 'if-range'?: string | string[];
}

export type ConditionAnswer = 'proceed' | 'not-modified' | 'failed';

/** The preconditions of a GET or HEAD in the order of RFC 9110, section 13.2.2; what can't be read as a date counts as not sent. */
export function checkConditions(headers: ConditionalHeaders, now: Validators): ConditionAnswer {
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, now.etag, 'strong')) return 'failed';
  } else {
    const limit = parseHttpDate(headers['if-unmodified-since'] ?? '');
    if (limit !== null && wholeSeconds(now.lastModifiedMs) > limit) return 'failed';
  }
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, now.etag, 'weak') ? 'not-modified' : 'proceed';
  }
  const since = parseHttpDate(headers['if-modified-since'] ?? '');
  return since !== null && wholeSeconds(now.lastModifiedMs) <= since ? 'not-modified' : 'proceed';
}

/** Whether a Range is to be heeded: there is no If-Range, or it names exactly these bytes. */
export function rangeHolds(headers: ConditionalHeaders, now: Validators): boolean {
  const ifRange = headers['if-range'];
  if (ifRange === undefined) return true;
  if (typeof ifRange !== 'string') return false;
  const tag = ifRange.trim();
  if (tag.startsWith('"') || tag.startsWith('W/')) return tag === `"${now.etag}"`;
  return parseHttpDate(tag) === wholeSeconds(now.lastModifiedMs);
}

const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

function matches(header: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (header.trim() === '*') return true;
  return [...header.matchAll(ENTITY_TAG)].some(
    ([, weak, tag]) => tag === etag && (comparison === 'weak' || weak === undefined),
  );
}

/** An HTTP-date has no part of a second. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
