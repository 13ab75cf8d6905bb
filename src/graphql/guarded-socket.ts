import type { IncomingMessage } from 'node:http';
import { MessageType, type WebSocket as ProtocolSocket, parseMessage } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { BOUNDS } from '../kernel/bounds.js';
import type { SlowReader, WaitingAnswers } from './waiting-answers.js';

const GOING_AWAY = 1001;
const TOO_BIG = 1009;
const BAD_REQUEST = 4400;
const INTERNAL_ERROR = 4500;
/** A close reason has at most 123 bytes. */
const REASON_BYTES = 123;
const FAULT = 'something went wrong here; it has been logged';

export interface SocketEar {
  /** A fault of ours in the handling of a message; told once per socket. */
  failed(error: unknown): void;
  /** The connection broke, or the client sent what is no WebSocket frame; told once per socket. */
  broke(reason: string): void;
}

/**
 * One WebSocket as graphql-ws sees it. What waits to be sent is bounded, whoever doesn't read is cut off, and nothing that a
 * client sends makes us send as much again.
 */
export class GuardedSocket implements ProtocolSocket, SlowReader {
  readonly protocol: string;
  private invited = false;
  private received = 0;
  private toldOf = false;
  private awaitsPong = false;
  private isCorked = false;
  private writtenAtLastBeat = 0;

  constructor(
    readonly socket: WebSocket,
    readonly request: IncomingMessage,
    private readonly ear: SocketEar,
    private readonly waiting: WaitingAnswers,
  ) {
    this.protocol = socket.protocol;
    socket.on('error', (error) => this.tell(() => ear.broke(error.message)));
    socket.on('pong', () => (this.awaitsPong = false));
    // Not by ws itself: it would answer who is not let in, and add to what a slow reader has not read.
    socket.on('ping', (data) => {
      if (this.invited && socket.bufferedAmount === 0) socket.pong(data);
    });
    request.socket.on('data', (chunk: Buffer) => this.count(chunk.length));
  }

  /** From now on it may send more than a credential. */
  invite(): void {
    this.invited = true;
  }

  /** More can be sent without waiting for what was: it goes out with that in one write. */
  get takesMore(): boolean {
    return this.socket.bufferedAmount < BOUNDS.socketWriteBytes;
  }

  /** Resolves when the bytes have left this process, so that each operation's source waits for its reader. */
  send(data: string): Promise<void> {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return Promise.resolve();
    if (data.length > BOUNDS.answerBytes) {
      this.close(
        TOO_BIG,
        `an answer has at most ${BOUNDS.answerBytes / 1024 / 1024} MiB; ask for less at once`,
      );
      return Promise.resolve();
    }
    if (socket.bufferedAmount > BOUNDS.waitingBytes) {
      this.cut('it does not read what it asked for');
      return Promise.resolve();
    }
    this.writeTogether();
    return new Promise((resolve) => {
      // A socket that broke meanwhile is told of by its own ear.
      socket.send(data, () => {
        this.waiting.taken(this, data.length);
        resolve();
      });
      this.waiting.add(this, data.length);
    });
  }

  close(code = GOING_AWAY, reason = ''): void {
    this.socket.close(code, Buffer.from(reason).subarray(0, REASON_BYTES));
  }

  onMessage(handle: (data: string) => Promise<void>): void {
    this.socket.on('message', (data) => {
      handle(String(data)).catch((error: unknown) => {
        // The protocol's library knows its types, and fails on those that only a server sends.
        if (isOfServer(String(data)))
          return this.close(BAD_REQUEST, 'only a server sends a message of this type');
        this.tell(() => this.ear.failed(error));
        this.close(INTERNAL_ERROR, FAULT);
      });
    });
  }

  /** The ping of the protocol, in place of the library's echo of what came with it. */
  async onPing(): Promise<void> {
    if (this.invited && this.socket.bufferedAmount === 0) await this.send('{"type":"pong"}');
  }

  /** Called every some seconds: cuts off who has neither answered the last call nor read a byte of what waits. */
  beat(): void {
    const { socket } = this;
    const written = this.request.socket.bytesWritten - socket.bufferedAmount;
    const stands = socket.bufferedAmount > 0 && written === this.writtenAtLastBeat;
    this.writtenAtLastBeat = written;
    if (this.awaitsPong || stands) return this.cut('it has not answered for too long');
    if (socket.readyState !== socket.OPEN) return;
    this.awaitsPong = true;
    socket.ping();
  }

  cut(reason: string): void {
    this.tell(() => this.ear.broke(reason));
    this.socket.terminate();
  }

  /** All that is sent in this turn of the event loop is one write of the kernel's, which costs more than the rest of a message. */
  private writeTogether(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    const wire = this.request.socket;
    wire.cork();
    setImmediate(() => {
      this.isCorked = false;
      wire.uncork();
    });
  }

  private count(bytes: number): void {
    if (this.invited) return;
    this.received += bytes;
    if (this.received <= BOUNDS.uninvitedBytes) return;
    this.close(TOO_BIG, 'too much came before the credential was accepted');
    this.cut('too much came before the credential was accepted');
  }

  private tell(say: () => void): void {
    if (this.toldOf) return;
    this.toldOf = true;
    say();
  }
}

function isOfServer(data: string): boolean {
  const { type } = parseMessage(data);
  return type === MessageType.ConnectionAck || type === MessageType.Next || type === MessageType.Error;
}
