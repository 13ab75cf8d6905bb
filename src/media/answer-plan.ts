import type { ByteSpan, ObjectInfo } from '../storage/object-storage.port.js';
import { parseByteRange } from './byte-range.js';
import { checkConditions, type ConditionalHeaders, rangeHolds } from './conditions.js';

export type AnswerPlan =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly span: ByteSpan }
  | { readonly kind: 'unsatisfiable' }
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'failed' };

/** How a GET or HEAD of these bytes is answered. Only a GET has ranges. */
export function planAnswer(
  method: string,
  headers: ConditionalHeaders & { readonly range?: string },
  info: ObjectInfo,
): AnswerPlan {
  const condition = checkConditions(headers, info);
  if (condition !== 'proceed') return { kind: condition };
  if (method !== 'GET' || headers.range === undefined || !rangeHolds(headers, info)) return { kind: 'whole' };
  const range = parseByteRange(headers.range, info.sizeBytes);
  return range.kind === 'none' ? { kind: 'unsatisfiable' } : range;
}
