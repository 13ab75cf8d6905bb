const MOST_CHARACTERS = 128;
/** Control and format characters, among them those that turn text around, line ends and halves of a pair. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A caller as it stands in causes and in the audit log: `key:<name>`, `livekit:<identity>`, nothing unseen in it, at most 128 characters. */
export function callerName(kind: 'key' | 'livekit', name: string): string {
  return [...`${kind}:${name.replace(UNSEEN, '')}`].slice(0, MOST_CHARACTERS).join('');
}

/** Whether a text has characters that a reader can't see, or that show it other than it is. */
export function hasUnseen(text: string): boolean {
  return text.search(UNSEEN) >= 0;
}
