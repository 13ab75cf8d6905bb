import { inform, notify } from '../state/notices.js';

/** Puts a text on the clipboard and says so; `what` begins the sentence. */
export function copy(text: string, what: string): void {
  // Offered on https and localhost alone.
  if (!navigator.clipboard) return notify(new Error(`This browser copies nothing here. It is: ${text}`));
  navigator.clipboard.writeText(text).then(() => inform(`${what} was copied.`), notify);
}
