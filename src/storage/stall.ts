import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { SystemClock } from '../kernel/clock.js';

const LOOKS = 10;
/** Bodies go over a real wire, whatever time it is for the rest. */
const WIRE = new SystemClock();

export interface LeastFlow {
  readonly bytes: number;
  readonly withinMs: number;
}

/** Slower than anything that can be played or saved. */
const LEAST_FLOW: LeastFlow = { bytes: 64 * 1024, withinMs: 30_000 };

/**
 * Ends a body that should come and doesn't, or a few bytes at a time only. One that nobody reads for the moment (its buffer
 * is full, the reader has paused) is left alone for as long as it takes.
 */
export function watchForStall(body: Readable, least: LeastFlow = LEAST_FLOW): Readable {
  if (body instanceof IncomingMessage) void watch(body, least);
  return body;
}

async function watch(body: IncomingMessage, { bytes, withinMs }: LeastFlow): Promise<void> {
  const over = new AbortController();
  body.once('close', () => over.abort());
  const { socket } = body;
  let hungryLooks = 0;
  let cameBefore = socket.bytesRead;
  while (await wait(withinMs / LOOKS, over.signal)) {
    const readerPaused = body.readableLength >= body.readableHighWaterMark;
    const came = socket.bytesRead - cameBefore;
    if (readerPaused || body.complete || came >= bytes) {
      hungryLooks = 0;
      cameBefore = socket.bytesRead;
      continue;
    }
    hungryLooks += 1;
    if (hungryLooks < LOOKS) continue;
    body.destroy(new Error(`${came} bytes of the object came in ${withinMs} ms`));
    return;
  }
}

function wait(ms: number, signal: AbortSignal): Promise<boolean> {
  return WIRE.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

/** Resolves when the body has a first byte to give, or its end; throws as it breaks. An answer that says 200 and sends nothing is none. */
export async function firstByte(body: Readable, signal: AbortSignal): Promise<void> {
  if (body.readableLength > 0 || body.readableEnded) return;
  try {
    await once(body, 'readable', { signal });
  } catch (error) {
    body.destroy();
    throw error;
  }
}
