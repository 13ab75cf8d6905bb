import type { JsonValue, StoredRecording } from '../domain/recording.js';

/** A word is compared by no more than its beginning; who asks with a longer one asks with that. */
const COMPARED = 64;
/** Of one recording; the labels' words come last, and those beyond it are not found. */
const MOST_TOKENS = 1_024;
const COMBINING = /[\u0300-\u036f]/g;
/** Letters that have no decomposition, and that people type without their stroke or ligature. */
const PLAIN: Readonly<Record<string, string>> = { ø: 'o', ł: 'l', đ: 'd', ħ: 'h', æ: 'ae', œ: 'oe', ς: 'σ' };
const NOT_PLAIN = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g');
// Control characters separate words too: none is left in what is stored, where they separate words from ids.
const BETWEEN_WORDS = /[\s\p{Cc}]+/u;
const WORD_BEGINS = /(?<![\p{L}\p{N}\p{M}])[\p{L}\p{N}]/gu;

/** The words of a text as they are searched for: without regard to case, accents and the way characters are encoded. */
export function searchWords(text: string): string[] {
  return wordsOf(text).map(compared);
}

/** Whether each of the words, as `searchWords` gives them, is the beginning of what the recording is found by. */
export function isFoundBy(recording: StoredRecording, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const id = recording.id.toLowerCase();
  const tokens = searchTokens(recording);
  return words.every((word) => id.startsWith(word) || tokens.some((token) => token.startsWith(word)));
}

/**
 * What a recording is found by beside its own id: its egress' and its room's id from their beginnings, and its room's name and its
 * labels' values from the beginning of each word. None but the egress' id is the beginning of another: that one finds what it would
 * find. By an egress' id its recording is looked up as well, as a whole word.
 */
export function searchTokens({ egressId, roomId, roomName, labels }: StoredRecording): string[] {
  const whole = new Set(egressId === null ? [] : searchWords(egressId));
  const tokens = new Set([...whole, ...wordsOf(roomId).map(compared)]);
  for (const text of [roomName, ...textsOf(labels)]) {
    for (const word of wordsOf(text)) {
      tokens.add(compared(word));
      for (const { index } of word.matchAll(WORD_BEGINS)) tokens.add(compared(word.slice(index)));
      if (tokens.size > MOST_TOKENS) return withoutBeginnings([...tokens].slice(0, MOST_TOKENS), whole);
    }
  }
  return withoutBeginnings([...tokens], whole);
}

function wordsOf(text: string): string[] {
  return fold(text)
    .split(BETWEEN_WORDS)
    .filter((word) => word !== '');
}

function fold(text: string): string {
  const bare = text.normalize('NFKD').replace(COMBINING, '');
  // By way of upper case, which is one where there are several lower ones.
  const lower = bare.toUpperCase().toLowerCase();
  return lower.replace(NOT_PLAIN, (letter) => PLAIN[letter] ?? letter).normalize('NFC');
}

function compared(word: string): string {
  return word.length <= COMPARED ? word : [...word].slice(0, COMPARED).join('');
}

/** In sorted order, whatever begins with a text stands right after it. */
function withoutBeginnings(tokens: string[], kept: ReadonlySet<string>): string[] {
  return tokens.sort().filter((token, i) => kept.has(token) || !tokens[i + 1]?.startsWith(token));
}

function textsOf(value: JsonValue): string[] {
  if (value === null) return [];
  if (typeof value !== 'object') return [String(value)];
  return Object.values(value as Readonly<Record<string, JsonValue>>).flatMap(textsOf);
}
