import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config.js';
import { isErrno } from '../kernel/start-fault.js';
import { bucketOrigins } from '../storage/bucket-origins.js';

/** One file of the built console, ready to be sent. */
export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  /** Weak, as both forms above have it. */
  readonly etag: string;
  readonly cacheControl: string;
  readonly contentSecurityPolicy: string;
}

/** Compiled to dist/ops and run from src/ops alike, this is where Vite builds to. */
const BUILT_TO = join(__dirname, '..', '..', 'dist', 'console');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const STRICT = [
  "default-src 'none'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];
// GraphiQL's editor and panels style elements in place, and its style sheet carries its fonts.
const GRAPHIQL_POLICY = [...STRICT, "style-src 'self' 'unsafe-inline'", "font-src 'self' data:"].join('; ');

/** `mediaFrom`: origins that media is redirected to. */
function consolePolicy(mediaFrom: readonly string[]): string {
  return [
    ...STRICT,
    "style-src 'self'", // A live recording is put together by the page itself, and played from there.
    ["media-src 'self' blob:", ...mediaFrom].join(' '),
  ].join('; ');
}

/** Deeper than any address that means anything. */
const MOST_UP = 100;

/**
 * The built console, read once at the start: what can be served is this list, so no path of a request ever reaches the
 * file system. Empty where nothing was built.
 */
@Injectable()
export class ConsoleFiles implements OnModuleInit {
  private readonly log = new Logger('Console');
  private files: ReadonlyMap<string, ConsoleFile> = new Map();
  /** The page as it is at each depth that was asked for. */
  private readonly deeper = new Map<number, ConsoleFile>();

  constructor(private readonly config: Config) {}

  async onModuleInit(): Promise<void> {
    const { storage, mediaDelivery } = this.config;
    const mediaFrom = mediaDelivery === 'redirect' ? bucketOrigins(storage) : [];
    this.files = await readConsoleFiles(BUILT_TO, { mediaFrom, isEmbedded: this.config.development });
    if (this.files.size === 0) this.log.warn({ message: 'the console is not built, / will answer 404' });
  }

  /** `index.html`, `assets/index-….js`; null for what was not built. */
  find(name: string): ConsoleFile | null {
    return this.files.get(name) ?? null;
  }

  /**
   * The page for an address so many folders below that of the console. A deeper address is none of the console's; the page that
   * says so still finds its parts, below a path of a proxy too.
   */
  page(depth: number): ConsoleFile | null {
    const page = this.find('index.html');
    if (page === null || depth <= 0) return page;
    const up = Math.min(depth, MOST_UP);
    const known = this.deeper.get(up) ?? atDepth(page, up);
    this.deeper.set(up, known);
    return known;
  }
}

export interface ConsoleFilesOptions {
  readonly mediaFrom?: readonly string[];
  /** The page is told that the parts behind it are embedded. */
  readonly isEmbedded?: boolean;
}

/** Everything that can be served from `folder`, by name; nothing where there is no such folder. */
export async function readConsoleFiles(
  folder: string,
  { mediaFrom = [], isEmbedded = false }: ConsoleFilesOptions = {},
): Promise<Map<string, ConsoleFile>> {
  const names = [
    ...(await filesIn(folder)),
    ...(await filesIn(join(folder, 'assets'))).map((name) => `assets/${name}`),
  ];
  const policy = consolePolicy(mediaFrom);
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readOne(folder, name, { policy, isEmbedded })] as const),
    ),
  );
}

function atDepth(page: ConsoleFile, up: number): ConsoleFile {
  const base = `<head><base href="${'../'.repeat(up)}" />`;
  const bytes = Buffer.from(page.bytes.toString('utf8').replace('<head>', base));
  return { ...page, bytes, gzipped: gzipSync(bytes), etag: etagOf(bytes) };
}

function etagOf(bytes: Buffer): string {
  return `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 20)}"`;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function readOne(
  folder: string,
  name: string,
  { policy, isEmbedded }: { policy: string; isEmbedded: boolean },
): Promise<ConsoleFile> {
  const built = await readFile(join(folder, name));
  const bytes =
    isEmbedded && name === 'index.html'
      ? Buffer.from(built.toString('utf8').replace('<html ', '<html data-embedded '))
      : built;
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    bytes,
    gzipped: await promisify(gzip)(bytes),
    etag: etagOf(bytes),
    // Vite puts a hash of the content into the names of assets, and into those alone.
    cacheControl: name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    contentSecurityPolicy: name === 'graphiql.html' ? GRAPHIQL_POLICY : policy,
  };
}
