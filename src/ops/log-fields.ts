import { BOUNDS } from '../kernel/bounds.js';

/** Control and format characters, among them line ends and those that turn text around, and halves of a pair. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** In a stack, where line ends are what makes it readable; JSON escapes them. */
const UNSEEN_BUT_LINES = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MOST_CAUSES = 3;

/** What is logged, with an end to it: cut before anything works on it, and without what a reader can't see. */
export function boundedFields(fields: object): Record<string, unknown> {
  return boundedObject(fields, 0);
}

export function boundedText(text: string): string {
  return cut(text, BOUNDS.logText).replace(UNSEEN, ' ');
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return boundedText(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) return boundedError(value, 0);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= BOUNDS.logDepth) return '[deeper]';
  if (Array.isArray(value)) {
    const shown = value.slice(0, BOUNDS.logEntries).map((entry) => bounded(entry, depth + 1));
    return value.length > shown.length ? [...shown, `[${value.length - shown.length} more]`] : shown;
  }
  // As JSON would have it: a date, an address.
  if ('toJSON' in value && typeof value.toJSON === 'function') return boundedText(String(value.toJSON()));
  if (Buffer.isBuffer(value) || ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return boundedObject(value, depth);
}

function boundedObject(fields: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, BOUNDS.logEntries);
  return Object.fromEntries(
    entries.map(([key, value]) => [boundedText(key).slice(0, BOUNDS.name), bounded(value, depth + 1)]),
  );
}

/** Not what else a library hangs on its errors: whole requests, answers, sockets. */
function boundedError(error: Error, causes: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: boundedText(name),
    message: boundedText(message),
    ...((typeof code === 'string' || typeof code === 'number') && { code: boundedText(String(code)) }),
    ...(stack !== undefined && { stack: cut(stack, BOUNDS.logStack).replace(UNSEEN_BUT_LINES, ' ') }),
    ...(cause !== undefined &&
      causes < MOST_CAUSES && {
        cause: cause instanceof Error ? boundedError(cause, causes + 1) : bounded(cause, BOUNDS.logDepth - 1),
      }),
  };
}

/** Not in the middle of a word: half of a secret would not be known for one. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = text.slice(0, most).search(/\s\S{0,256}$/);
  return `${text.slice(0, end > 0 ? end : most)} [${text.length - (end > 0 ? end : most)} more characters]`;
}
