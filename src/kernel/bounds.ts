/**
 * How much of anything is taken before anything works on it, all in one place. Lengths are in UTF-16 units unless a name says
 * bytes; whatever is refused for its length is never repeated in an answer.
 */
export const BOUNDS = {
  /** An `Authorization` value: a LiveKit token with the metadata and attributes of a participant takes some 4 KiB. */
  credential: 8 * 1024,

  /** The head of an HTTP request: a credential and what proxies and browsers add. */
  headBytes: 16 * 1024,
  /** A request body other than GraphQL's: a webhook with the metadata of a whole room. */
  bodyBytes: 1024 * 1024,
  /** A GraphQL request, over HTTP or in one message: a thousand of the longest ids and more. */
  graphqlBytes: 256 * 1024,

  /** Of a document, so that what is done with it in squares stays short; a whole introspection takes some 500. */
  tokens: 2_000,
  /** Brackets in each other, of any kind; more than a document that keeps to the other bounds needs. */
  nesting: 100,
  depth: 15,
  aliases: 100,
  /** A name that a client gives a field, an operation, a variable: it comes back with every object. */
  name: 128,
  /** Objects and fields that may be made for one answer; see query-limits. */
  cost: 40_000,
  /** Of an answer as JSON: its reader may be slow, and others wait beside it. */
  answerBytes: 8 * 1024 * 1024,
  /** Faults of one document that are told. */
  faults: 10,
  /** A message repeats what the client sent. */
  message: 1_000,

  /** Values that a client sends: entries of one list, values in all, levels in each other. */
  listEntries: 2_000,
  values: 20_000,
  valueDepth: 32,
  /** The id of a room has 256 bytes, every other one fewer characters: a longer one is nobody's. */
  id: 256,
  cursor: 2_048,
  idempotencyKey: 128,
  jsonBytes: 8 * 1024,
  labels: 32,
  labelKey: 64,
  labelText: 256,
  /** Part of a name that is searched for. */
  search: 256,
  /** What recordings are searched for; a character may take two units. */
  searched: 2_048,
  searchedWords: 8,
  searchedWord: 64,
  instant: 64,

  /** Of what is logged: one text, a stack, entries of one list or object, levels in each other. */
  logText: 2_048,
  logStack: 8_192,
  logEntries: 50,
  logDepth: 5,

  /** Requests of one caller within so many seconds: far more than a page with everything on it makes. */
  callerPoints: 2_000,
  callerSeconds: 10,
  /** Of what one address sends without a credential that is known; a wrong one counts most. */
  addressPoints: 1_000,
  addressSeconds: 60,
  wrongCredentialPoints: 5,
  /** Ids of a bulk deletion that are looked at for one point. */
  idsPerPoint: 50,

  /** Bulk deletions of one caller that are under way, and as many dry runs; what is kept of those that have finished. */
  bulkDeletionsPerCaller: 50,
  bulkDeletionsKept: 200,

  /** All that a WebSocket may send before it is let in: a handshake's rest and one credential. */
  uninvitedBytes: 16 * 1024,
  /** Between the opening of a WebSocket and its credential, in ms. */
  inviteMs: 8_000,
  /** Until so much waits for a WebSocket, its next events go out in the same write. */
  socketWriteBytes: 16 * 1024,
  /** What may wait for one slow reader when something is to be added to it. */
  waitingBytes: 1024 * 1024,
  /** What may wait for all of them, over WebSockets and HTTP: twelve of the largest answers. */
  waitingBytesInAll: 96 * 1024 * 1024,
  /** The id that a client gives an operation on a WebSocket, which comes back with every event. */
  operationId: 128,
  operationsPerSocket: 100,
  operationsPerCaller: 2_000,
  socketsPerCaller: 1_000,
  /** Not let in yet; many who are let in may share the address of a proxy. */
  uninvitedPerAddress: 200,
  socketsPerProcess: 20_000,
} as const;
