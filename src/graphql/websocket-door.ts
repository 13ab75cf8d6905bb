import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  createSourceEventStream,
  execute,
  getOperationAST,
} from 'graphql';
import {
  type ConnectionInitMessage,
  type Context,
  type Server as ProtocolServer,
  type SubscribePayload,
  handleProtocols,
  makeServer,
} from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { Credentials } from '../auth/credentials.js';
import type { Identified } from '../auth/identified.js';
import { BOUNDS } from '../kernel/bounds.js';
import { Clock, SystemClock } from '../kernel/clock.js';
import { isTallyError } from '../kernel/errors.js';
import { GraphqlErrors, asGraphqlError } from './graphql-errors.js';
import { Documents } from './documents.js';
import type { GraphqlContext } from './graphql-context.js';
import { GuardedSocket, type SocketEar } from './guarded-socket.js';
import { GRAPHQL_PATH } from './http-door.js';
import { watchedOperation } from './operation-watch.js';
import { refuseTooMuch } from './query-limits.js';
import { SharedAnswers } from './shared-answers.js';
import { WaitingAnswers } from './waiting-answers.js';
import { type Seated, SocketSeats } from './socket-seats.js';

const UNAUTHORIZED = 4401;
const GOING_AWAY = 1001;
const BAD_REQUEST = 4400;
const TRY_AGAIN_LATER = 1013;
const INTERNAL_ERROR = 4500;
/** How often a credential that may be ended at any moment is looked at again; see ApiKeys. */
const LOOK_AGAIN_MS = 350;
/** A timer takes no more than 2^31 ms. */
const LONGEST_SLEEP_MS = 86_400_000;
/** As long as requests over HTTP have; see Drain. */
const DRAIN_MS = 5_000;
const LOOK_EVERY_MS = 50;
const LAST_CALL_MS = 1_000;
/** A client that is gone without a word, or that reads nothing, is cut off by the second call. */
const BEAT_MS = 12_000;
/** Calls go over a real wire, whatever time it is for the rest. */
const WIRE = new SystemClock();

interface Guest extends Record<PropertyKey, unknown> {
  readonly wire: GuardedSocket;
  identified?: Identified;
}
type Protocol = ProtocolServer<Guest>;
type Connection = Context<ConnectionInitMessage['payload'], Guest>;

/** GraphQL over WebSocket (graphql-transport-ws), for who shows a credential in connection_init. */
@Injectable()
export class WebSocketDoor implements BeforeApplicationShutdown {
  private readonly log = new Logger('WebSocket');
  private readonly seats = new SocketSeats();
  private readonly wires = new Set<GuardedSocket>();
  /** What is to be done as soon as whoever is at this connection is known. */
  private readonly meetings = new WeakMap<Duplex, () => void>();
  /** Who showed the same credential, of those that may be ended at any moment. */
  private readonly watched = new Map<string, Set<GuardedSocket>>();
  private readonly over = new AbortController();
  private shut: () => Promise<void> = () => Promise.resolve();
  private ending: Promise<void> | null = null;
  /** Queries and mutations. */
  private underWay = 0;

  constructor(
    private readonly credentials: Credentials,
    private readonly errors: GraphqlErrors,
    private readonly waiting: WaitingAnswers,
    private readonly clock: Clock,
  ) {}

  open(server: Server, schema: GraphQLSchema): void {
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: BOUNDS.graphqlBytes,
      autoPong: false,
      handleProtocols: (protocols) => handleProtocols(protocols),
    });
    const protocol = this.protocol(schema);
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      socket.on('error', () => socket.destroy());
      if (pathOf(request) === GRAPHQL_PATH) {
        const address = addressOf(request);
        if (!this.seats.enter(address)) return refuseUpgrade(socket, '429 Too Many Requests');
        this.seat(socket, address);
        sockets.handleUpgrade(request, socket, head, (ws) => this.receive(protocol, ws, request));
      } else if (server.listenerCount('upgrade') === 1) {
        // Nobody else will answer, and a socket without an answer stays open.
        refuseUpgrade(socket, '404 Not Found');
      }
    };
    server.on('upgrade', onUpgrade);
    void this.callAll();
    this.shut = () => {
      server.off('upgrade', onUpgrade);
      this.over.abort();
      return this.empty(sockets);
    };
  }

  /** Before the web server closes: it would wait for our sockets. */
  beforeApplicationShutdown(): Promise<void> {
    return this.end();
  }

  /** Lets what is under way, but for subscriptions, end within its time; then asks everybody to go. */
  end(): Promise<void> {
    this.ending ??= this.shut();
    return this.ending;
  }

  private protocol(schema: GraphQLSchema): Protocol {
    const documents = new Documents(schema);
    const answers = new SharedAnswers(this.errors);
    return makeServer<ConnectionInitMessage['payload'], Guest>({
      schema,
      connectionInitWaitTimeout: BOUNDS.inviteMs,
      execute: (args) => this.execute(args),
      subscribe: (args) => follow(args as Execution, answers),
      onConnect: (connection) => this.connect(connection),
      onSubscribe: (connection, id, payload) => this.prepare({ schema, documents, connection, id, payload }),
      onError: (_connection, _id, _payload, errors) => errors.map((e) => this.errors.toClient(e)),
      onNext: (_connection, _id, _payload, _args, result) =>
        result.errors ? { ...result, errors: told(result).map((e) => this.errors.toClient(e)) } : undefined,
    });
  }

  /** Counts a connection as a stranger's until it is let in or gone. */
  private seat(socket: Duplex, address: string): void {
    let isStranger = true;
    const meet = (): void => {
      if (isStranger) this.seats.met(address);
      isStranger = false;
    };
    this.meetings.set(socket, meet);
    socket.once('close', () => {
      meet();
      this.seats.leave();
    });
  }

  private receive(protocol: Protocol, ws: WebSocket, request: IncomingMessage): void {
    const ear: SocketEar = {
      failed: (error) =>
        this.log.error({ event: 'socket_failed', message: 'a message could not be handled', err: error }),
      broke: (reason) => this.log.debug({ event: 'socket_broke', message: 'a WebSocket broke', reason }),
    };
    const wire = new GuardedSocket(ws, request, ear, this.waiting);
    this.wires.add(wire);
    const closed = protocol.opened(wire, { wire });
    ws.once('close', (code, reason) => {
      this.wires.delete(wire);
      closed(code, String(reason)).catch((error: unknown) => {
        this.log.error({ event: 'socket_failed', message: 'a subscription could not be ended', err: error });
      });
    });
  }

  private async execute(args: ExecutionArgs): Promise<ExecutionResult> {
    this.underWay += 1;
    try {
      // Prepared from this very document: it names one.
      const operation = getOperationAST(args.document, args.operationName)!;
      return await watchedOperation(operation, async () => await execute(args));
    } finally {
      this.underWay -= 1;
    }
  }

  private async callAll(): Promise<void> {
    while (!this.over.signal.aborted) {
      await WIRE.sleep(BEAT_MS, this.over.signal).catch(() => undefined);
      if (!this.over.signal.aborted) for (const wire of this.wires) wire.beat();
    }
  }

  /** Clients are asked to go; who doesn't answer is cut off. */
  private async empty(sockets: WebSocketServer): Promise<void> {
    const until = WIRE.now() + DRAIN_MS;
    while (this.underWay > 0 && WIRE.now() < until) await WIRE.sleep(LOOK_EVERY_MS);
    const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
    for (const wire of this.wires) wire.close(GOING_AWAY, 'this instance is shutting down');
    const empty = new AbortController();
    const cut = WIRE.sleep(LAST_CALL_MS, empty.signal).then(
      () => sockets.clients.forEach((socket) => socket.terminate()),
      () => undefined,
    );
    await closed;
    empty.abort();
    await cut;
  }

  /** False, or a socket that closes: nothing is executed on it, whatever was sent right behind. */
  private async connect(connection: Connection): Promise<boolean> {
    const { wire } = connection.extra;
    try {
      const identified = await this.credentials.identify(
        authorizationOf(connection),
        addressOf(wire.request),
      );
      this.invite(connection, identified.actor.callerId);
      connection.extra.identified = identified;
      if (identified.expiresAt !== null) this.endAt(identified.expiresAt, wire);
      if (identified.mayEnd) this.watch(authorizationOf(connection), wire);
      wire.invite();
      return true;
    } catch (error) {
      this.turnAway(error, wire);
      return false;
    }
  }

  /** Throws RATE_LIMITED. */
  private invite(connection: Connection, caller: string): void {
    const { socket, request } = connection.extra.wire;
    const seated = seatOf(connection);
    this.seats.invite(caller, seated);
    this.meetings.get(request.socket)?.();
    if (socket.readyState === socket.CLOSED) return this.seats.uninvite(caller, seated);
    socket.once('close', () => this.seats.uninvite(caller, seated));
  }

  private turnAway(error: unknown, wire: GuardedSocket): void {
    if (isTallyError(error, 'UNAUTHENTICATED')) return wire.close(UNAUTHORIZED, error.message);
    if (isTallyError(error)) return wire.close(TRY_AGAIN_LATER, error.message);
    this.log.error({ message: 'a credential could not be checked', err: error });
    wire.close(INTERNAL_ERROR, 'something went wrong here; it has been logged');
  }

  /** A subscription outlives the request in which its credential was looked at, but not the credential. */
  private endAt(expiresAt: number, wire: GuardedSocket): void {
    const gone = new AbortController();
    wire.socket.once('close', () => gone.abort());
    void this.waitUntil(expiresAt, gone.signal).then((over) => {
      if (over) wire.close(UNAUTHORIZED, 'the credential has expired; connect with a new one');
    });
  }

  /** Closes the connection as soon as its credential is worth nothing any more. */
  private watch(authorization: string | undefined, wire: GuardedSocket): void {
    const key = authorization ?? '';
    const known = this.watched.get(key);
    const wires = known ?? new Set();
    wires.add(wire);
    wire.socket.once('close', () => wires.delete(wire));
    if (known) return;
    this.watched.set(key, wires);
    void this.lookAgain(authorization, wires);
  }

  /** One look for all who showed the same credential, as long as one of them is there. "Could not ask" ends nothing. */
  private async lookAgain(
    authorization: string | undefined,
    wires: ReadonlySet<GuardedSocket>,
  ): Promise<void> {
    while (wires.size > 0) {
      await this.clock.sleep(LOOK_AGAIN_MS);
      try {
        if (wires.size > 0) await this.credentials.identify(authorization);
      } catch (error) {
        if (isTallyError(error, 'UNAUTHENTICATED'))
          for (const wire of wires) wire.close(UNAUTHORIZED, error.message);
        else this.log.debug({ message: 'a credential was not looked at again', cause: String(error) });
      }
    }
    this.watched.delete(authorization ?? '');
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

  private async prepare({ connection, id, ...asked }: Subscribing): Promise<Prepared> {
    const { identified, wire } = connection.extra;
    if (id.length > BOUNDS.operationId) {
      const problem = `the id of an operation has at most ${BOUNDS.operationId} characters`;
      wire.close(BAD_REQUEST, problem);
      return [new GraphQLError(problem)];
    }
    if (!identified) return [asGraphqlError(new Error('an operation came before its credential'))];
    try {
      this.seats.allowOperation(identified.actor.callerId, seatOf(connection));
      await this.credentials.countHolder(identified.actor.callerId);
      const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
      const reader: Reader = {
        tell: (payload) => wire.send(`${head}${payload}}`),
        takesMore: () => wire.takesMore,
      };
      return toExecution(asked, { actor: identified.actor }, reader);
    } catch (error) {
      return [asGraphqlError(error)];
    }
  }
}

interface Subscribing {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly connection: Connection;
  readonly id: string;
  readonly payload: SubscribePayload;
}

interface Execution extends ExecutionArgs {
  readonly contextValue: GraphqlContext;
  readonly reader: Reader;
}

/** Whoever hears the results of one operation. */
interface Reader {
  /** Sends a result, as JSON, as one of this operation; resolves when it has left this process. */
  tell(payload: string): Promise<void>;
  /** The next one need not wait for that. */
  takesMore(): boolean;
}
type Prepared = Execution | readonly GraphQLError[];

function toExecution(
  { schema, documents, payload }: Pick<Subscribing, 'schema' | 'documents' | 'payload'>,
  contextValue: GraphqlContext,
  reader: Reader,
): Prepared {
  const { document, faults } = documents.read(payload.query);
  if (faults.length > 0) return faults;
  const { variables, operationName } = payload;
  const operation = getOperationAST(document, operationName);
  if (!operation) return [new GraphQLError('the document names no such operation, or more than one')];
  refuseTooMuch(schema, document, operation, variables);
  return { schema, document, operationName, variableValues: variables, contextValue, reader };
}

/** Tells the events itself, as they are shared; the protocol's library only sees the end, or why there is no beginning. */
async function follow(
  args: Execution,
  answers: SharedAnswers,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult>> {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const events = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  const asked = answers.asked(args);
  const end = async (): Promise<IteratorResult<ExecutionResult>> => {
    await events.return?.();
    return { done: true, value: undefined };
  };
  let over = false;
  const told: AsyncGenerator<ExecutionResult> = {
    next: async () => {
      while (!over) {
        const { done, value } = await events.next();
        if (done) break;
        const payload = await answers.of(value, asked);
        if (over) break;
        const left = args.reader.tell(payload);
        // Who is behind is sent several at once.
        if (!args.reader.takesMore()) await left;
      }
      return { done: true, value: undefined };
    },
    return: () => {
      over = true;
      return end();
    },
    throw: async (error: unknown) => {
      over = true;
      await end();
      throw error;
    },
    [Symbol.asyncIterator]: () => told,
    [Symbol.asyncDispose]: async () => void (await told.return(undefined)),
  };
  return told;
}

/** What is wrong with a request, so many faults of it; what its fields were refused with stands beside their data. */
function told({ data, errors = [] }: ExecutionResult): readonly GraphQLError[] {
  return data ? errors : errors.slice(0, BOUNDS.faults);
}

function authorizationOf({ connectionParams }: Connection): string | undefined {
  const given = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
  return typeof given === 'string' ? given : undefined;
}

function seatOf(connection: Connection): Seated {
  return { operations: () => Object.keys(connection.subscriptions).length };
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n`);
}

/** What a proxy says of it is not believed here: those limits are for what opens connections to us. */
function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? '';
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?')[0] ?? '';
}
