const STATUS = {
  invalid_argument: 400,
  malformed: 400,
  unauthenticated: 401,
  not_found: 404,
  bad_route: 404,
  deadline_exceeded: 408,
  already_exists: 409,
  failed_precondition: 412,
  internal: 500,
  unknown: 500,
  unimplemented: 501,
  unavailable: 503,
} as const;

export type TwirpCode = keyof typeof STATUS;

/** An answer of the server's that is an error. */
export class TwirpRefusal extends Error {
  readonly status: number;

  constructor(
    readonly code: TwirpCode,
    message: string,
    readonly meta?: Readonly<Record<string, string>>,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = STATUS[code];
  }
}

/** An error that came over the message bus, with the words that LiveKit puts before it. */
export function overBus(code: TwirpCode, message: string): TwirpRefusal {
  return new TwirpRefusal(code, `twirp error unknown: ${message}`);
}

/** A refusal of the door itself, in plain text. */
export class TextRefusal extends Error {
  readonly status: number = 401;
  readonly type: string = 'text/plain; charset=utf-8';
}

/** The answer of a proxy before the server, in its own name and words. */
export class ProxyRefusal extends TextRefusal {
  override readonly type = 'text/html';

  constructor(override readonly status: 502 | 504) {
    super(`<html><head><title>${status}</title></head><body><h1>${status}</h1></body></html>`);
  }
}

/** The connection ends without an answer. */
export class ConnectionCut extends Error {
  constructor() {
    super('the connection was cut before an answer came');
  }
}
