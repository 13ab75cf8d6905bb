/** Ids of a Redis stream, as Redis writes them: `<ms>-<number>`, without zeros in front, compared as two numbers. */
const STREAM_ID = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/;

export function isStreamId(text: string): boolean {
  return STREAM_ID.test(text);
}

/** Compared digit by digit: each subscriber asks several times for each event, and numbers made of them are left to collect. */
export function compareStreamIds(a: string, b: string): number {
  const dash = a.indexOf('-');
  const ofB = b.indexOf('-');
  if (dash !== ofB) return dash - ofB;
  if (a.length === b.length) return compareTexts(a, b);
  return compareTexts(a.slice(0, dash), b.slice(0, dash)) || a.length - b.length;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
