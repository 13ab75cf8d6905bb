/** Ids of a Redis stream: `<ms>-<number>`, compared as two numbers. */
const STREAM_ID = /^(\d{1,16})-(\d{1,16})$/;

export function isStreamId(text: string): boolean {
  return STREAM_ID.test(text);
}

export function compareStreamIds(a: string, b: string): number {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number);
  return aMs - bMs || aSeq - bSeq;
}
