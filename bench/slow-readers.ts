// What clients that never read cost: WebSockets with queries and subscriptions, GraphQL over HTTP, downloads.
//   node -r ./test/support/run-typescript.cjs bench/slow-readers.ts [sockets, default 1000] [downloads, default 100]
// Needs a redis-server on the PATH. Prints the memory of a process that serves them all, and whether it still answers others.
import { once } from 'node:events';
import { truncate } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { cpus, totalmem } from 'node:os';
import { WebSocket } from 'ws';
import { newRoomId } from '../src/kernel/ids.js';
import { ADMIN_KEY, startStack } from '../test/support/app.js';
import { eventually } from '../test/support/eventually.js';
import { ProcessUnderTest } from '../test/fuzz/process-under-test.js';

const [SOCKETS = 1_000, DOWNLOADS = 100] = process.argv.slice(2).map(Number);
const MIB = 1024 * 1024;
const LARGE_BYTES = 300_000_000;
const ROUNDS = 20;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** So large an answer that a thousand of them fill a machine, for little work: every room, its long name many times. */
const LARGE = `{ rooms(first: 100) { nodes { ${Array.from({ length: 90 }, (_, i) => `n${i}: name`).join(' ')} } } }`;

async function main(): Promise<void> {
  say(
    `${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`,
  );
  const stack = await startStack();
  const server = await ProcessUnderTest.start(stack.env);
  try {
    await fill(server);
    const media = await plantMedia(server, stack.storageFolder, (room) => stack.simulator.openRoom(room));
    await ask(server, LARGE);
    await report(server, 'before');
    await readers(
      server,
      `${SOCKETS} WebSockets that follow every recording and never read`,
      await followers(server),
      async () => {
        for (let i = 0; i < ROUNDS; i += 1) await rename(server);
      },
    );
    await readers(
      server,
      `${SOCKETS} WebSockets that each ask for ${await sizeOf(server)} KiB and never read`,
      await askers(server),
    );
    await readers(server, `${DOWNLOADS} requests over HTTP for as much that never read`, await posts(server));
    await readers(
      server,
      `${DOWNLOADS} downloads of ${LARGE_BYTES / 1e6} MB that never read`,
      await downloads(server, media),
    );
  } finally {
    await server.stop();
    await stack.close();
  }
}

async function readers(
  server: ProcessUnderTest,
  what: string,
  open: readonly Leave[],
  meanwhile?: () => Promise<void>,
): Promise<void> {
  await meanwhile?.();
  let highest = 0;
  for (let i = 0; i < 20; i += 1) {
    highest = Math.max(highest, await rss(server));
    await pause(250);
  }
  const begun = performance.now();
  await ask(server, '{ viewer { name } }');
  const tookMs = performance.now() - begun;
  say(`${what}: at most ${highest} MiB; somebody else is answered after ${tookMs.toFixed(0)} ms`);
  for (const leave of open) leave();
  await pause(2_000);
  await report(server, '  gone');
}

type Leave = () => void;

async function followers(server: ProcessUnderTest): Promise<Leave[]> {
  const query =
    'subscription { recordingEvents { cursor type recording { id roomId roomName status version labels } } }';
  return sockets(server, (socket) =>
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } })),
  );
}

async function askers(server: ProcessUnderTest): Promise<Leave[]> {
  return sockets(server, (socket) => {
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: LARGE } }));
  });
}

async function sockets(server: ProcessUnderTest, then: (socket: WebSocket) => void): Promise<Leave[]> {
  const leave: Leave[] = [];
  for (let i = 0; i < SOCKETS; i += 1) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_KEY}` } }),
    );
    await once(socket, 'message');
    socket.pause();
    then(socket);
    leave.push(() => socket.terminate());
  }
  return leave;
}

async function posts(server: ProcessUnderTest): Promise<Leave[]> {
  const body = JSON.stringify({ query: LARGE });
  const head = `POST /graphql HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${ADMIN_KEY}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  // Ten on each connection, one behind the other.
  return Promise.all(Array.from({ length: DOWNLOADS }, () => unread(server, `${head}${body}`.repeat(10))));
}

async function downloads(server: ProcessUnderTest, path: string): Promise<Leave[]> {
  const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${ADMIN_KEY}\r\n\r\n`;
  return Promise.all(Array.from({ length: DOWNLOADS }, () => unread(server, head)));
}

async function unread(server: ProcessUnderTest, text: string): Promise<Leave> {
  const socket: Socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(text);
  return () => socket.destroy();
}

async function fill(server: ProcessUnderTest): Promise<void> {
  const name = 'x'.repeat(256);
  for (let i = 0; i < 100; i += 1) {
    await ask(
      server,
      `mutation { createRoom(input: { id: "${newRoomId(i)}-${i}", name: "${name}" }) { id } }`,
    );
  }
}

/** A change of a recording that everybody is told of. */
async function rename(server: ProcessUnderTest): Promise<void> {
  await ask(server, 'mutation { startRecording(input: { roomId: "busy", waitForActive: false }) { id } }');
  const { data } = await ask<{ room: { activeRecording: { id: string } | null } }>(
    server,
    '{ room(id: "busy") { activeRecording { id } } }',
  );
  const id = data?.room.activeRecording?.id;
  if (id) await ask(server, `mutation { stopRecording(id: "${id}") { id } }`);
  await pause(500);
}

async function plantMedia(
  server: ProcessUnderTest,
  folder: string,
  openRoom: (room: string) => void,
): Promise<string> {
  await ask(
    server,
    'mutation { createRoom(input: { id: "busy", name: "Busy", recordingSettings: { audioOnly: true } }) { id } }',
  );
  openRoom('busy');
  const { data } = await ask<{ startRecording: { id: string } }>(
    server,
    'mutation { startRecording(input: { roomId: "busy" }) { id } }',
  );
  const id = data?.startRecording.id ?? '';
  await ask(server, `mutation { stopRecording(id: "${id}") { id } }`);
  await eventually(
    async () => {
      const seen = await ask<{ recording: { mediaPath: string | null } }>(
        server,
        `{ recording(id: "${id}") { mediaPath } }`,
      );
      return seen.data?.recording.mediaPath != null || 'no media yet';
    },
    { withinMs: 20_000 },
  );
  await truncate(`${folder}/recordings/busy/${id}.ogg`, LARGE_BYTES);
  return `/recordings/${id}/media`;
}

async function sizeOf(server: ProcessUnderTest): Promise<number> {
  return Math.round(JSON.stringify(await ask(server, LARGE)).length / 1024);
}

async function ask<T>(server: ProcessUnderTest, query: string): Promise<{ data?: T }> {
  const answer = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    body: JSON.stringify({ query }),
  });
  return (await answer.json()) as { data?: T };
}

async function rss(server: ProcessUnderTest): Promise<number> {
  return Math.round(((await server.readLoop())?.rssBytes ?? 0) / MIB);
}

async function report(server: ProcessUnderTest, when: string): Promise<void> {
  say(`${when}: ${await rss(server)} MiB`);
}

void main().then(() => process.exit(0));
