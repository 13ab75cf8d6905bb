import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A span as a collector is told of it; ids in hexadecimal, an empty parent is none. */
export interface ReceivedSpan {
  readonly trace: string;
  readonly id: string;
  readonly parent: string;
  readonly name: string;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  close(): Promise<void>;
}

/** A collector of traces, OTLP over HTTP with protobuf, that keeps what it is told. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') spans.push(...spansOf(Buffer.concat(chunks)));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** ExportTraceServiceRequest: resource_spans = 1, their scope_spans = 2, their spans = 2. */
function spansOf(request: Buffer): ReceivedSpan[] {
  return partsOf(request, 1)
    .flatMap((resource) => partsOf(resource, 2))
    .flatMap((scope) => partsOf(scope, 2))
    .map((span) => ({
      trace: hexOf(span, 1),
      id: hexOf(span, 2),
      parent: hexOf(span, 4),
      name: String(partsOf(span, 5)[0] ?? ''),
    }));
}

function hexOf(message: Buffer, field: number): string {
  return (partsOf(message, field)[0] ?? Buffer.alloc(0)).toString('hex');
}

/** The length-delimited fields of one number in a protobuf message. */
function partsOf(message: Buffer, field: number): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      if (Math.floor(tag / 8) === field) parts.push(message.subarray(at, at + length));
      at += length;
    }
  }
  return parts;
}
