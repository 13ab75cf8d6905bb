import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LIMIT_HEADER } from '../twirp.js';
import { AccessCheck } from './access.js';
import { ControlDoor } from './control-door.js';
import type { SimulatorEngine } from './engine.js';
import { ConnectionCut, TextRefusal, TwirpRefusal } from './twirp-refusal.js';
import { type Answer, type Call, type Json, TWIRP_METHODS, type WireMethod } from './twirp-methods.js';
import { toWireJson } from './wire-json.js';

export interface WireServerOptions {
  readonly apiKey: string;
  readonly apiSecret: string;
  /** 0: any free one. */
  readonly port: number;
}

const TWIRP = '/twirp/';
const CONTROL = '/simulator/';
const MAX_BODY_BYTES = 4 * 1024 * 1024;

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The engine behind LiveKit's HTTP API, on this machine alone; beside it the door for whoever directs it. */
export class WireServer {
  private readonly server: Server;
  private readonly access: AccessCheck;
  private readonly control: ControlDoor;

  constructor(
    private readonly engine: SimulatorEngine,
    private readonly options: WireServerOptions,
  ) {
    this.access = new AccessCheck(engine.clock, options.apiKey, options.apiSecret);
    this.control = new ControlDoor(engine);
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /** Returns the port. Rejects when it is taken. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.options.port, '127.0.0.1', () => {
        this.server.removeListener('error', reject);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Ends all connections, those of unanswered requests too. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.close((error) => (error ? reject(error) : resolve()));
      this.server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.reply(request).catch((error: unknown) => toReply(error));
    if (reply === null) {
      response.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': reply.type });
    response.end(reply.body);
  }

  private async reply(request: IncomingMessage): Promise<Reply> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (path.startsWith(TWIRP)) return this.twirp(request, path);
    if (path.startsWith(CONTROL)) return this.direct(request, path.slice(CONTROL.length));
    if (path === '/') return text(200, 'OK');
    return text(404, '404 page not found\n');
  }

  private async twirp(request: IncomingMessage, path: string): Promise<Reply> {
    const access = await this.access.read(request.headers.authorization);
    const method = request.method === 'POST' ? TWIRP_METHODS.get(path.slice(TWIRP.length)) : undefined;
    if (!method) throw badRoute(request.method ?? '', path);
    const call = parseCall(method, await readBody(request));
    this.access.require(access, call.grant, this.engine.roomOf(call));
    const told = request.headers[LIMIT_HEADER];
    const withinMs = typeof told === 'string' && /^\d{1,15}$/.test(told) ? Number(told) : undefined;
    return json(200, toWireJson(await this.engine.perform(call, access.token, withinMs)));
  }

  private async direct(request: IncomingMessage, action: string): Promise<Reply> {
    // Browsers name the page that asks: no page on the internet is to direct what runs on this machine.
    if (request.headers.origin !== undefined) return text(403, 'not for browsers\n');
    if (request.method === 'GET' && action === 'state') return json(200, this.control.state());
    try {
      const body = await readBody(request);
      return json(200, this.control.perform(action, body === '' ? {} : JSON.parse(body)));
    } catch (error) {
      return json(400, { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

function parseCall(method: WireMethod, body: string): Call<Answer> {
  try {
    const input: Json = JSON.parse(body === '' ? '{}' : body);
    return method.parse(input);
  } catch (cause) {
    throw new TwirpRefusal('malformed', 'the json request could not be decoded', undefined, { cause });
  }
}

function badRoute(method: string, path: string): TwirpRefusal {
  const message =
    method === 'POST'
      ? `no handler for path "${path}"`
      : `unsupported method "${method}" (only POST is allowed)`;
  return new TwirpRefusal('bad_route', message, { twirp_invalid_route: `${method} ${path}` });
}

/** Null: the connection is to be cut. */
function toReply(error: unknown): Reply | null {
  if (error instanceof ConnectionCut) return null;
  if (error instanceof TextRefusal) return { status: error.status, type: error.type, body: error.message };
  if (error instanceof TwirpRefusal) {
    const { code, message: msg, meta, status } = error;
    return json(status, meta ? { code, msg, meta } : { code, msg });
  }
  const msg = error instanceof Error ? error.message : String(error);
  return json(500, { code: 'internal', msg });
}

function text(status: number, body: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function json(status: number, body: unknown): Reply {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MAX_BODY_BYTES) throw new TwirpRefusal('malformed', 'the request is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
