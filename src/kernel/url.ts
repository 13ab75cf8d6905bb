/** Null for a text that is no absolute address. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** Without its leading (`start`) and trailing slashes. */
export function withoutSlashes(text: string, start = true): string {
  let [from, to] = [0, text.length];
  while (to > 0 && text[to - 1] === '/') to -= 1;
  while (start && from < to && text[from] === '/') from += 1;
  return text.slice(from, to);
}

/** Null where a percent sign stands for nothing. */
export function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** Equal for two spellings of one address: the case of the host, the usual port and slashes at the end tell nothing. */
export function canonicalAddress(text: string): string {
  const parsed = parseUrl(text);
  if (parsed === null) return text;
  return `${parsed.protocol}//${parsed.host}${withoutSlashes(parsed.pathname, false)}`;
}
