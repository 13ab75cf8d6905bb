import { signal } from '@preact/signals';
import { ApiError, messageOf } from '../api/graphql.js';

export interface Notice {
  readonly id: number;
  readonly code: string;
  readonly message: string;
}

const AT_MOST = 4;
let lastId = 0;

/** Refusals and faults, in the server's own words, until they are dismissed. */
export const notices = signal<readonly Notice[]>([]);
/** The last thing that happened, read out by screen readers. */
export const announcement = signal('');

export function notify(error: unknown): void {
  const code = error instanceof ApiError ? error.code : 'INTERNAL';
  const message = messageOf(error);
  const others = notices.value.filter((n) => n.code !== code || n.message !== message);
  notices.value = [...others, { id: ++lastId, code, message }].slice(-AT_MOST);
}

/** Something small went well; gone by itself, because nothing has to be done about it. */
export const information = signal<string | null>(null);
const SHOWN_FOR_MS = 2_500;
let hiding: ReturnType<typeof setTimeout> | undefined;

export function inform(sentence: string): void {
  information.value = sentence;
  announcement.value = sentence;
  clearTimeout(hiding);
  hiding = setTimeout(() => (information.value = null), SHOWN_FOR_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((n) => n.id !== id);
}

export function announce(sentence: string): void {
  announcement.value = sentence;
}
