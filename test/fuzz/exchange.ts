import { connect } from 'node:net';

export interface HttpRequest {
  readonly method: string;
  /** As it stands in the request line, whatever is in it. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
}

export interface HttpAnswer {
  /** Null: the connection ended without an answer. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly tookMs: number;
  /** It was cut off by us, as no end of it came. */
  readonly endless: boolean;
  /** More was announced than sent, so that there may be nothing to answer. */
  readonly unfinished: boolean;
}

const LIMIT_MS = 8_000;
const UNFINISHED_MS = 200;
const FRAMING = /^(?:content-length|transfer-encoding|upgrade|expect)$/i;

/** One request on a connection of its own, byte for byte as it is given. */
export async function exchange(port: number, request: HttpRequest): Promise<HttpAnswer> {
  const begun = performance.now();
  const unfinished = request.headers.some(
    ([name, value]) => FRAMING.test(name) || /[\r\n]/.test(name + value),
  );
  const { bytes, endless } = await talk(port, toBytes(request), unfinished);
  return { ...readAnswer(bytes), endless, unfinished, tookMs: performance.now() - begun };
}

function toBytes({ method, path, headers, body }: HttpRequest): Buffer {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const all = [...headers];
  if (!given.has('host')) all.push(['Host', 'localhost']);
  if (!given.has('connection')) all.push(['Connection', 'close']);
  const content = Buffer.from(body ?? '');
  if (body !== undefined && !given.has('content-length') && !given.has('transfer-encoding')) {
    all.push(['Content-Length', String(content.length)]);
  }
  const head = [`${method} ${path} HTTP/1.1`, ...all.map(([name, value]) => `${name}: ${value}`), '', ''];
  // A header has bytes, no characters.
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'utf8'), content]);
}

function talk(
  port: number,
  bytes: Buffer,
  unfinished: boolean,
): Promise<{ bytes: Buffer; endless: boolean }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const chunks: Buffer[] = [];
    let endless = false;
    const late = setTimeout(() => {
      endless = true;
      socket.destroy();
    }, LIMIT_MS);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // Cut off while it was still sending, which is an answer too.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(late);
      resolve({ bytes: Buffer.concat(chunks), endless });
    });
    socket.write(bytes);
    if (unfinished) setTimeout(() => socket.end(), UNFINISHED_MS).unref();
  });
}

function readAnswer(bytes: Buffer): Pick<HttpAnswer, 'status' | 'headers' | 'body'> {
  const end = bytes.indexOf('\r\n\r\n');
  const [first = '', ...lines] = bytes.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(first)?.[1];
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4);
  const body = headers['transfer-encoding'] === 'chunked' ? dechunked(rest) : rest;
  return { status: status === undefined ? null : Number(status), headers, body };
}

function dechunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    if (end < 0 || !(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
