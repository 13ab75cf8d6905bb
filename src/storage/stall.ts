import { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

const SILENT_FOR_MS = 30_000;

/**
 * Ends a body that should come and doesn't. One that nobody reads for the moment (its buffer is full, the reader
 * has paused) is left alone for as long as it takes.
 */
export function watchForStall(body: Readable, silentForMs = SILENT_FOR_MS): Readable {
  if (!(body instanceof IncomingMessage)) return body;
  const { socket } = body;
  const look = (): void => {
    const readerPaused = body.readableLength >= body.readableHighWaterMark;
    if (!readerPaused && !body.complete) {
      body.destroy(new Error(`no byte of the object came for ${silentForMs} ms`));
      return;
    }
    // A timeout fires once for each silence, and this one may go on.
    socket.setTimeout(silentForMs);
  };
  socket.setTimeout(silentForMs);
  socket.on('timeout', look);
  body.once('close', () => {
    socket.off('timeout', look);
    socket.setTimeout(0);
  });
  return body;
}
