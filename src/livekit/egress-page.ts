import { EgressInfo } from '@livekit/protocol';
import { toEgressSeen } from './livekit.mapping.js';
import type { EgressSeen } from './livekit.types.js';

/** A ListEgress answer. */
export interface EgressPage {
  readonly egresses: EgressSeen[];
  /** Empty: it was the last one. */
  readonly nextToken: string;
}

/** Read between two turns of the event loop; some milliseconds' worth. */
const READ_AT_ONCE = 100;

/**
 * Piece by piece: thousands of egresses take the protocol's own reader half a second in which nothing else is done.
 * Throws for what is no list of egresses.
 */
export async function readEgressPage(json: string): Promise<EgressPage> {
  const page: unknown = JSON.parse(json);
  const items = listIn(page, 'items');
  const egresses: EgressSeen[] = [];
  for (const [index, item] of items.entries()) {
    if (index % READ_AT_ONCE === READ_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve));
    egresses.push(toEgressSeen(EgressInfo.fromJson(item, { ignoreUnknownFields: true })));
  }
  const token = partOf(partOf(page, 'next_page_token') ?? partOf(page, 'nextPageToken'), 'token');
  return { egresses, nextToken: typeof token === 'string' ? token : '' };
}

type Json = Parameters<typeof EgressInfo.fromJson>[0];

function listIn(page: unknown, name: string): Json[] {
  if (typeof page !== 'object' || page === null || Array.isArray(page))
    throw new Error('no list of egresses');
  const list: unknown = Reflect.get(page, name) ?? [];
  if (!Array.isArray(list)) throw new Error('no list of egresses');
  return list as Json[];
}

function partOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
