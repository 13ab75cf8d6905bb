import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { STOP } from '../support/operations.js';
import { becomes, openRoom, started } from '../support/recording-life.js';
import { S3Server } from '../support/s3-server.js';

/** What a person waits for at most, by the contract, with everything that is tried again: the time of a whole test. */
const MUTATIONS_WITHIN_MS = 10_000;
/** Of which one asks in vain. */
const MEDIA_WITHIN_MS = 6_500;

interface Line {
  readonly sweep?: string;
  readonly msg: string;
}

describe('a bucket that takes requests and does not answer', () => {
  let s3: S3Server;
  let stack: TestStack;
  let instance: TestInstance;
  let first: string;
  let second: string;
  let running: string;
  const lines: Line[] = [];

  beforeAll(async () => {
    s3 = await S3Server.start('meetings');
    stack = await startStack({
      ...s3.env(),
      WEBHOOK_ALLOW_PRIVATE: 'true',
    });
    instance = await stack.start({}, { onLog: (line) => lines.push(JSON.parse(line) as Line) });
    const complete = async (room: string): Promise<string> => {
      await openRoom(stack, instance, room);
      const { id } = await started(instance, room);
      await instance.graphql(STOP, { id });
      await becomes(instance, id, { status: 'COMPLETE' });
      return id;
    };
    first = await complete('first');
    second = await complete('second');
    await openRoom(stack, instance, 'running');
    running = (await started(instance, 'running')).id;
    await openRoom(stack, instance, 'idle');
  });
  beforeEach(() => void (s3.faults.length = 0));
  afterAll(async () => {
    s3.faults.length = 0;
    await stack.close();
    await s3.stop();
  });

  const code = async (mutation: string): Promise<string | null> =>
    (await instance.graphql(`mutation { ${mutation} }`)).code;
  const refusal = async (path: string): Promise<readonly [number, unknown]> => {
    const answer = await fetch(`${instance.url}${path}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const { error } = (await answer.json()) as { error?: { code?: unknown } };
    return [answer.status, error?.code];
  };

  it(
    'holds up no mutation for longer than a person waits: what needs it is refused, what does not goes on',
    async () => {
      s3.faults.push({ kind: 'silent' });
      const codes = await Promise.all([
        code('createRoom(input: { id: "new", name: "new" }) { id }'),
        code('updateRoom(input: { id: "idle", name: "other" }) { id }'),
        code('deleteRoom(id: "second", recordings: KEEP) { id }'),
        code(`deleteRecording(id: "${first}") { id }`),
        code('createApiKey(input: { name: "k", role: VIEWER }) { secret }'),
        code(`createShareLink(input: { recordingId: "${second}" }) { url }`),
        code(
          'createWebhookEndpoint(input: { url: "http://127.0.0.1:9/", events: [RECORDING_ENDED] }) { secret }',
        ),
        code('startRecording(input: { roomId: "idle" }) { id }'),
        code(`stopRecording(id: "${running}") { id }`),
        code(`deleteRecordings(ids: ["${second}"], dryRun: true) { id }`),
      ]);
      expect(codes).toEqual([
        ...Array.from({ length: 7 }, () => 'STORAGE_UNAVAILABLE'),
        ...[null, null, null],
      ]);
    },
    MUTATIONS_WITHIN_MS,
  );

  it('fails a pass of a sweep, which is told once', async () => {
    s3.faults.push({ kind: 'refuse', status: 403, code: 'AccessDenied' });
    const before = lines.length;
    const { data } = await instance.graphql<{ runSweep: { failed: number } }>(
      'mutation { runSweep(name: STORAGE_RECONCILIATION) { failed } }',
    );
    expect(data.runSweep.failed).toBe(1);
    const told = lines.slice(before).filter(({ sweep }) => sweep === 'STORAGE_RECONCILIATION');
    expect(told.map(({ msg }) => msg)).toEqual(['a sweep could not act']);
  });

  it.each([
    ['never answers', { kind: 'silent' }],
    ['looks, and never answers a read', { kind: 'silent', operation: 'GetObject' }],
    ['sends the head of an answer alone', { kind: 'head-alone', operation: 'GetObject' }],
  ] as const)(
    'that %s leaves nobody waiting for media',
    async (_how, fault) => {
      s3.faults.push(fault);
      const unavailable = [503, 'STORAGE_UNAVAILABLE'];
      expect(
        await Promise.all([
          refusal(`/recordings/${second}/media`),
          refusal(`/recordings/archive?ids=${second}`),
        ]),
      ).toEqual([unavailable, unavailable]);
    },
    MEDIA_WITHIN_MS,
  );
});
