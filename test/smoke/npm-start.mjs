// npm start as a newcomer meets it: from outside, with Node alone. Prints a line "ok - …" or "not ok - …" for each thing
// that has to be so, and fails when one is not.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PORT = 4117;
const URL_ = `http://localhost:${PORT}`;
let failed = 0;
const running = [];
// Whatever went wrong, nothing of it goes on.
process.on('exit', () =>
  running
    .filter(({ child }) => child.exitCode === null && child.signalCode === null)
    .forEach(({ child }) => killTree(child.pid)),
);

async function check(sentence, work) {
  try {
    await work();
    console.log(`ok - ${sentence}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${sentence}: ${error.message}`);
  }
}

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

async function eventually(probe, reason, withinMs = 10_000) {
  const until = Date.now() + withinMs;
  while (!(await probe())) {
    if (Date.now() > until) throw new Error(reason);
    await sleep(50);
  }
}

/** npm start, with what it has said so far. */
function npmStart(env = {}) {
  const child = spawn('npm', ['start'], {
    env: { ...process.env, PORT: String(PORT), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run = { child, said: '', complained: '', ended: once(child, 'exit') };
  running.push(run);
  child.stdout.on('data', (chunk) => (run.said += chunk));
  child.stderr.on('data', (chunk) => (run.complained += chunk));
  return run;
}

async function ready(run) {
  await eventually(
    () => run.said.includes('Tallylight is ready') || run.child.exitCode !== null,
    'it did not become ready',
    300_000,
  );
  expect(run.child.exitCode === null, `it ended: ${run.complained}`);
  const key = /tl_[0-9a-f]+/.exec(run.said)?.[0];
  expect(key, 'it printed no ADMIN key');
  return key;
}

async function end(run, signal = 'SIGINT') {
  run.child.kill(signal);
  const late = sleep(30_000, 'late', { ref: false });
  const ended = await Promise.race([run.ended, late]);
  expect(ended !== 'late', `it goes on after ${signal}`);
  return ended[0];
}

const asking = (key) => async (query, variables) => {
  const response = await fetch(`${URL_}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  expect(!errors, JSON.stringify(errors));
  return data;
};

const recordingOf = async (ask, id) =>
  (await ask('query ($id: ID!) { recording(id: $id) { status sizeBytes mediaPath } }', { id })).recording;

function redisIsGone() {
  const note = '.tallylight/redis/redis.pid';
  if (!existsSync(note)) return true;
  const pid = Number(readFileSync(note, 'utf8'));
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

async function firstRecording(key) {
  const ask = asking(key);
  const { rooms } = await ask('{ rooms { nodes { id live { numPublishers } } } }');
  const room = rooms.nodes.find(({ live }) => live?.numPublishers > 0);
  expect(room, 'no room is open in which somebody publishes');
  const start = 'mutation ($id: ID!) { startRecording(input: { roomId: $id }) { id status } }';
  const { startRecording } = await ask(start, { id: room.id });
  expect(startRecording.status === 'ACTIVE', `it is ${startRecording.status}`);
  await ask('mutation ($id: ID!) { stopRecording(id: $id) { status } }', startRecording);
  await eventually(
    async () => (await recordingOf(ask, startRecording.id)).status === 'COMPLETE',
    'it did not become COMPLETE',
  );
  return startRecording.id;
}

async function plays(key, id) {
  const { mediaPath, sizeBytes } = await recordingOf(asking(key), id);
  const response = await fetch(`${URL_}${mediaPath}`, {
    headers: { authorization: `Bearer ${key}`, range: 'bytes=4-7' },
  });
  expect(response.status === 206, `its media answers ${response.status}`);
  expect(response.headers.get('content-range') === `bytes 4-7/${sizeBytes}`, 'it is of another size');
  expect((await response.text()) === 'ftyp', 'its media is no MP4');
}

/** Starts that have to end with one sentence. */
async function endsWith(sentence, env) {
  const run = npmStart(env);
  await Promise.race([run.ended, sleep(120_000, null, { ref: false })]);
  if (run.child.exitCode === null) await end(run);
  expect(run.child.exitCode === 1, `it ended with ${run.child.exitCode}`);
  const lines = run.complained.trim().split('\n');
  const own = lines.filter((line) => !line.startsWith('npm '));
  expect(own.length === 1 && sentence.test(own[0]), `it said ${JSON.stringify(own)}`);
}

async function withFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'tallylight-smoke-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let id = '';
let key = '';
let run = npmStart();
await check(
  'npm start sets up what is missing and says that it is ready',
  async () => (key = await ready(run)),
);
if (!key) process.exit(1);
await check('a first recording becomes ACTIVE and COMPLETE', async () => (id = await firstRecording(key)));
await check('it signs in by the link that it prints', async () => {
  expect(run.said.includes(`${URL_}/#key=${key}`), 'there is no link with the key');
});
await check('what it says until it is ready is no warning', () => {
  expect(!/\bWARN\b|\bERROR\b|"level":"(warn|error)"/.test(run.said + run.complained), run.said);
});
await check('the first recording of the README works to the letter', () => {
  const block = [...readFileSync('README.md', 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(([, sh]) => sh);
  const { stdout, stderr } = spawnSync('bash', ['-c', block.find((sh) => sh.includes('startRecording'))], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(/"status":"COMPLETE".*"mediaUrl":"http/.test(stdout), `${stdout}${stderr}`);
});
await check('its media plays by ranges', () => plays(key, id));
await check('the page is there', async () => {
  const page = await fetch(URL_);
  expect(
    page.headers.get('content-type')?.startsWith('text/html'),
    `it is ${page.headers.get('content-type')}`,
  );
});
await check('a second one in the same folder says so and ends, on whichever port', async () => {
  await endsWith(/running in this folder already/, { PORT: '4118' });
  await endsWith(/running in this folder already/, {});
});
let goingOn = null;
await check('a recording is in progress when it ends', async () => {
  const start = 'mutation { startRecording(input: { roomId: "town-hall" }) { id status egressId } }';
  goingOn = (await asking(key)(start)).startRecording;
  expect(goingOn.status === 'ACTIVE', `it is ${goingOn.status}`);
});
await check('Ctrl-C ends it and everything it started', async () => {
  const code = await end(run);
  expect([0, 130].includes(code), `npm ended with ${code}`);
  expect(redisIsGone(), 'its Redis server is still there');
  expect(!(await fetch(URL_).catch(() => null)), 'something still answers at its address');
});
run = npmStart();
await check('the next start finds the recording again, and the key is the same', async () => {
  expect((await ready(run)) === key, 'it made another key');
  expect(!/npm ci|Building/.test(run.said), 'it set up again what was set up');
  await plays(key, id);
});
await check('what was in progress goes on, and ends as it should', async () => {
  const ask = asking(key);
  const look = async () =>
    (await ask('query ($id: ID!) { recording(id: $id) { status egressId } }', { id: goingOn.id })).recording;
  await sleep(3_000);
  const { status, egressId } = await look();
  expect(status === 'ACTIVE' && egressId === goingOn.egressId, `it is ${status} with ${egressId}`);
  await ask('mutation ($id: ID!) { stopRecording(id: $id) { status } }', { id: goingOn.id });
  await eventually(async () => (await look()).status === 'COMPLETE', 'it did not become COMPLETE');
});
await check('killed at once, it leaves no Redis server behind', async () => {
  killTree(run.child.pid);
  await eventually(redisIsGone, 'its Redis server outlived it');
});
run = npmStart();
await check('the start after that finds the recording too', async () => {
  await ready(run);
  await plays(key, id);
  await end(run, 'SIGTERM');
});
await check('a Redis too old ends the start with one sentence', () =>
  withFolder((folder) => {
    const fake = join(folder, 'redis-server');
    writeFileSync(
      fake,
      '#!/bin/sh\necho "Redis server v=5.0.14 sha=00000000:0 malloc=libc bits=64 build=0"\n',
    );
    chmodSync(fake, 0o755);
    return endsWith(/is version 5\.0\.14, and Tallylight needs 7/, { PATH: `${folder}:${process.env.PATH}` });
  }),
);
await check('a folder that can not be written ends the start with one sentence', () =>
  withFolder((folder) => {
    writeFileSync(join(folder, 'file'), '');
    return endsWith(/can not be written/, { STORAGE_URL: `file:${folder}/file/storage` });
  }),
);
await check('a port in use ends the start with one sentence', async () => {
  const other = createServer().listen(PORT, '127.0.0.1');
  await once(other, 'listening');
  await endsWith(/^Port 4117 is in use by another program/, {}).finally(() => other.close());
});
await check('bad variables end the start with all their faults in one message', async () => {
  const bad = npmStart({ ROLE: 'boss', RECORDING_START_TIMEOUT: '20' });
  await bad.ended;
  expect(
    /ROLE must be/.test(bad.complained) && /RECORDING_START_TIMEOUT/.test(bad.complained),
    bad.complained,
  );
});
if (!existsSync('.env')) {
  await check('a .env with a typing error ends the start with one sentence', async () => {
    writeFileSync('.env', 'PORT 4000\n');
    try {
      await endsWith(/^\.env, line 1/, {});
    } finally {
      rmSync('.env');
    }
  });
}
process.exitCode = failed === 0 ? 0 : 1;

/** SIGKILL for a process and all that descend from it, but not for those that made a session of their own. */
function killTree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  for (const child of children) {
    const name = readFileSync(`/proc/${child}/comm`, 'utf8');
    if (!/redis|valkey/.test(name)) killTree(Number(child));
  }
  process.kill(pid, 'SIGKILL');
}
