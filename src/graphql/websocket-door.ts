import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import type { ConnectionInitMessage, Context, Disposable, SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { Credentials } from '../auth/credentials.js';
import type { Identified } from '../auth/identified.js';
import { Clock } from '../kernel/clock.js';
import { TallyError, isTallyError } from '../kernel/errors.js';
import { GraphqlErrors, asGraphqlError } from './graphql-errors.js';
import type { GraphqlContext } from './graphql-context.js';
import { GRAPHQL_PATH } from './http-door.js';
import { LIMITS, refuseTooMuch } from './query-limits.js';

const UNAUTHORIZED = 4401;
const TRY_AGAIN_LATER = 1013;
const INTERNAL_ERROR = 4500;
const MAX_OPERATIONS = 100;
/** How often a credential that may be ended at any moment is looked at again; see ApiKeys. */
const LOOK_AGAIN_MS = 350;
/** A timer takes no more than 2^31 ms. */
const LONGEST_SLEEP_MS = 86_400_000;
const LAST_CALL_MS = 2_000;

type Guest = Record<'identified', Identified>;
type Connection = Context<ConnectionInitMessage['payload'], Extra & Partial<Guest>>;

/** GraphQL over WebSocket (graphql-transport-ws), for who shows a credential in connection_init. */
@Injectable()
export class WebSocketDoor implements BeforeApplicationShutdown {
  private readonly log = new Logger('WebSocket');
  private shut: () => Promise<void> = () => Promise.resolve();

  constructor(
    private readonly credentials: Credentials,
    private readonly errors: GraphqlErrors,
    private readonly clock: Clock,
  ) {}

  open(server: Server, schema: GraphQLSchema): void {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: LIMITS.bytes });
    const protocol = useServer<ConnectionInitMessage['payload'], Guest>(
      {
        schema,
        // Without it, messages of our own errors would be a close reason.
        isProd: true,
        onConnect: (connection) => this.connect(connection),
        onSubscribe: (connection, _id, payload) => this.prepare(schema, connection, payload),
        onError: (_connection, _id, _payload, errors) => errors.map((e) => this.errors.toClient(e)),
        onNext: (_connection, _id, _payload, _args, result) =>
          result.errors
            ? { ...result, errors: result.errors.map((e) => this.errors.toClient(e)) }
            : undefined,
      },
      sockets,
    );
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (pathOf(request) === GRAPHQL_PATH) {
        sockets.handleUpgrade(request, socket, head, (ws) => {
          sockets.emit('connection', ws, request);
          this.hearErrors(ws);
        });
      } else if (server.listenerCount('upgrade') === 1) {
        // Nobody else will answer, and a socket without an answer stays open.
        socket.on('error', () => socket.destroy());
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
    };
    server.on('upgrade', onUpgrade);
    this.shut = () => {
      server.off('upgrade', onUpgrade);
      return this.empty(sockets, protocol);
    };
  }

  /** Before the web server closes: it would wait for our sockets. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.shut();
  }

  /** Clients are asked to go; who doesn't answer is cut off. */
  private async empty(sockets: WebSocketServer, protocol: Disposable): Promise<void> {
    const empty = new AbortController();
    const cut = this.waitUntil(this.clock.now() + LAST_CALL_MS, empty.signal).then((late) => {
      if (late) for (const socket of sockets.clients) socket.terminate();
    });
    await protocol.dispose();
    empty.abort();
    await cut;
  }

  /** In place of the library's own ear, which writes to the console: a broken frame is the client's affair, ws has closed by then. */
  private hearErrors(socket: WebSocket): void {
    socket.removeAllListeners('error');
    socket.on('error', (error) => this.log.debug({ message: 'a WebSocket broke', cause: error.message }));
  }

  /** False, or a socket that closes: nothing is executed on it, whatever was sent right behind. */
  private async connect(connection: Connection): Promise<boolean> {
    try {
      const identified = await this.credentials.identify(authorizationOf(connection));
      connection.extra.identified = identified;
      if (identified.expiresAt !== null) this.endAt(identified.expiresAt, connection.extra.socket);
      if (identified.mayEnd) void this.watch(authorizationOf(connection), connection.extra.socket);
      return true;
    } catch (error) {
      this.turnAway(error, connection.extra.socket);
      return false;
    }
  }

  private turnAway(error: unknown, socket: WebSocket): void {
    if (isTallyError(error, 'UNAUTHENTICATED')) return close(socket, UNAUTHORIZED, error.message);
    if (isTallyError(error)) return close(socket, TRY_AGAIN_LATER, error.message);
    this.log.error({ message: 'a credential could not be checked', err: error });
    close(socket, INTERNAL_ERROR, 'something went wrong here; it has been logged');
  }

  /** A subscription outlives the request in which its credential was looked at, but not the credential. */
  private endAt(expiresAt: number, socket: WebSocket): void {
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    void this.waitUntil(expiresAt, gone.signal).then((over) => {
      if (over) close(socket, UNAUTHORIZED, 'the credential has expired; connect with a new one');
    });
  }

  /** Closes the connection as soon as its credential is worth nothing any more. "Could not ask" ends nothing. */
  private async watch(authorization: string | undefined, socket: WebSocket): Promise<void> {
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    while (!(await this.isOver(LOOK_AGAIN_MS, gone.signal))) {
      try {
        await this.credentials.identify(authorization);
      } catch (error) {
        if (isTallyError(error, 'UNAUTHENTICATED')) return close(socket, UNAUTHORIZED, error.message);
        this.log.debug({ message: 'a credential was not looked at again', cause: String(error) });
      }
    }
  }

  private async isOver(ms: number, signal: AbortSignal): Promise<boolean> {
    return !(await this.waitUntil(this.clock.now() + ms, signal));
  }

  /** True when the instant has come, false when the signal aborted first. */
  private async waitUntil(instant: number, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const left = instant - this.clock.now();
      if (left <= 0) return true;
      await this.clock.sleep(Math.min(left, LONGEST_SLEEP_MS), signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
    return false;
  }

  private prepare(schema: GraphQLSchema, connection: Connection, payload: SubscribePayload): Prepared {
    const { identified } = connection.extra;
    if (!identified) return [asGraphqlError(new Error('an operation came before its credential'))];
    if (Object.keys(connection.subscriptions).length > MAX_OPERATIONS) {
      return [asGraphqlError(crowded())];
    }
    try {
      return toExecution(schema, payload, { actor: identified.actor });
    } catch (error) {
      return [asGraphqlError(error)];
    }
  }
}

type Prepared = ExecutionArgs | readonly GraphQLError[];

function toExecution(
  schema: GraphQLSchema,
  payload: SubscribePayload,
  contextValue: GraphqlContext,
): Prepared {
  const document = parse(payload.query, { maxTokens: LIMITS.tokens });
  const faults = validate(schema, document);
  if (faults.length > 0) return faults;
  const { variables, operationName } = payload;
  const operation = getOperationAST(document, operationName);
  if (!operation) return [new GraphQLError('the document names no such operation, or more than one')];
  refuseTooMuch(schema, document, operation, variables);
  return { schema, document, operationName, variableValues: variables, contextValue };
}

function crowded(): TallyError {
  const what = `this connection has ${MAX_OPERATIONS} operations under way; end some, or open another connection`;
  return new TallyError('RATE_LIMITED', what);
}

function authorizationOf({ connectionParams }: Connection): string | undefined {
  const given = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
  return typeof given === 'string' ? given : undefined;
}

/** A close reason has at most 123 bytes. */
function close(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, Buffer.from(reason).subarray(0, 123));
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? '';
}
