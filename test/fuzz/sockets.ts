import fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { WebSocket } from 'ws';
import { anyDocument, anyOperation } from './operations.js';
import { anyCredential } from './requests.js';
import { anyText } from './values.js';
import type { Facts } from './world.js';

/** `letIn` with a good credential first, or not; then these frames, then whatever comes. */
export interface SocketCase {
  readonly credential: unknown;
  readonly letIn: boolean;
  readonly frames: readonly Frame[];
}
type Frame = { readonly text: string } | { readonly bytes: number } | { readonly ping: string };

export interface SocketAnswer {
  readonly messages: readonly string[];
  readonly code: number | null;
  readonly reason: string;
}

const SETTLE_MS = 25;
const LIMIT_MS = 3_000;

export function anySocket(schema: GraphQLSchema, facts: Facts): fc.Arbitrary<SocketCase> {
  const operation = fc.oneof(
    anyOperation(schema, facts, ['query', 'subscription']).map(({ request }) => request),
    anyDocument(facts),
  );
  const id = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('1', '2') },
    anyText(facts),
    fc.constantFrom<unknown>(5, null, {}),
  );
  const message = fc.oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant('subscribe'), id, payload: operation }) },
    fc.record(
      {
        type: fc.constantFrom('complete', 'next', 'error', 'pong', 'connection_ack', 'start', 'x'),
        id,
        payload: fc.jsonValue({ maxDepth: 2 }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      { type: fc.constant('ping'), payload: fc.oneof(fc.jsonValue({ maxDepth: 2 }), anyText(facts)) },
      { requiredKeys: ['type'] },
    ),
    fc.record({
      type: fc.constant('connection_init'),
      payload: fc.oneof(fc.record({ authorization: anyCredential(facts) }), fc.jsonValue({ maxDepth: 2 })),
    }),
    fc.record({ type: fc.constant('subscribe'), id, payload: fc.jsonValue({ maxDepth: 3 }) }),
  );
  const frame = fc.oneof<fc.Arbitrary<Frame>[]>(
    message.map((one) => ({ text: JSON.stringify(one) })),
    message.map((one) => ({ text: JSON.stringify(one) })),
    fc.oneof(anyText(facts), fc.json()).map((text) => ({ text })),
    fc.constantFrom(0, 1, 1_000, 20_000, 300_000).map((bytes) => ({ bytes })),
    fc.constantFrom('', 'a', 'x'.repeat(125)).map((ping) => ({ ping })),
  );
  return fc.record({
    credential: fc.oneof({ weight: 4, arbitrary: anyCredential(facts) }, fc.jsonValue({ maxDepth: 1 })),
    letIn: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
    frames: fc.array(frame, { maxLength: 6 }),
  });
}

export async function converse(
  url: string,
  facts: Facts,
  { credential, letIn, frames }: SocketCase,
): Promise<SocketAnswer> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const messages: string[] = [];
  let [code, reason] = [null as number | null, ''];
  const ended = new Promise<void>((resolve) => {
    socket.on('close', (with_, why) => {
      [code, reason] = [with_, String(why)];
      resolve();
    });
  });
  socket.on('error', () => undefined);
  socket.on('message', (data) => messages.push(String(data)));
  const got = (type: string): Promise<void> =>
    new Promise((resolve) => {
      socket.on('message', (data) => String(data).includes(`"type":"${type}"`) && resolve());
    });
  await Promise.race([new Promise((resolve) => socket.once('open', resolve)), ended]);
  const acked = got('connection_ack');
  if (letIn) {
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: facts.credentials.admin } }),
    );
    await within(Promise.race([acked, ended]));
  }
  for (const frame of frames) sendFrame(socket, frame);
  if (!letIn && socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: credential } }));
    await within(Promise.race([acked, ended]));
  }
  const answered = got('pong');
  if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  await within(Promise.race([answered, ended]));
  await pause(SETTLE_MS);
  socket.terminate();
  await ended;
  return { messages, code, reason };
}

function sendFrame(socket: WebSocket, frame: Frame): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  if ('text' in frame) socket.send(frame.text);
  else if ('bytes' in frame) socket.send(Buffer.alloc(frame.bytes));
  else socket.ping(frame.ping);
}

function within(what: Promise<unknown>): Promise<unknown> {
  return Promise.race([what, pause(LIMIT_MS)]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
