import { rename } from 'node:fs/promises';
import { WorkerAvailability } from '../../src/recordings/recorders/worker-availability.port.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createRoom, startIn } from '../support/operations.js';
import { livekitToken, openRoom } from '../support/recording-life.js';

const ALL = `{ system { state version unexplained recorders { kind availability since } checks { name state since detail } incidents { kind subject detail openedAt closedAt } } }`;

interface SystemSeen {
  readonly state: string;
  readonly version: string;
  readonly unexplained: number;
  readonly recorders: readonly { readonly kind: string; readonly availability: string }[];
  readonly checks: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
  readonly incidents: readonly {
    readonly kind: string;
    readonly subject: string;
    readonly closedAt: string | null;
  }[];
}

describe('the system', () => {
  let stack: TestStack;
  let instance: TestInstance;

  beforeAll(async () => {
    stack = await startStack({ RECORDER_CHECK_EVERY: '200ms' });
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const look = async (): Promise<SystemSeen> => {
    const { data, errors } = await instance.graphql<{ system: SystemSeen } | null>(ALL);
    if (!data) throw new Error(errors[0]?.message);
    return data.system;
  };

  it('is all right, and says of what', async () => {
    await eventually(async () => (await look()).state === 'OK' || JSON.stringify(await look()));
    const { checks, version, unexplained, incidents, recorders } = await look();
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['redis', 'storage', 'livekit', 'workers', 'clock', 'livekit_webhooks']),
    );
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect([unexplained, incidents, recorders[0]?.availability]).toEqual([0, [], 'UNKNOWN']);
  });

  it('tells whoever is no ADMIN its state and recorders, and no more', async () => {
    const viewer = await livekitToken({ roomJoin: true, room: 'a' });
    const allowed = await instance.graphql(
      '{ system { state recorders { kind availability since } } }',
      {},
      viewer,
    );
    expect(allowed).toMatchObject({ code: null, data: { system: { state: 'OK' } } });
    for (const field of ['version', 'checks { name }', 'unexplained', 'incidents { kind }']) {
      expect((await instance.graphql(`{ system { ${field} } }`, {}, viewer)).code).toBe('FORBIDDEN');
    }
  });

  it('knows of workers by asking for one while a room is open', async () => {
    await openRoom(stack, instance, 'watched');
    await eventually(
      async () =>
        (await look()).recorders.every(({ availability }) => availability === 'AVAILABLE') ||
        JSON.stringify(await look()),
      { withinMs: 45_000 },
    );
    expect((await look()).recorders.map(({ kind }) => kind)).toEqual([
      'room_composite',
      'room_composite_audio',
    ]);
    expect((await look()).unexplained).toBe(0);
  }, 60_000);

  it('refuses a start at once where nobody is known to take it, and tells of it everywhere', async () => {
    const workers = instance.app.get(WorkerAvailability, { strict: false });
    const metrics = async (): Promise<string> =>
      (await fetch(`${instance.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).text();
    await createRoom(instance, 'unheard', { audioOnly: true });
    stack.simulator.openRoom('unheard');
    stack.simulator.busSilent(true);
    await workers.note('room_composite_audio', false, Date.now());
    const refused = await startIn(instance, 'unheard');
    expect([refused.code, refused.recordingId]).toEqual(['RECORDING_START_REJECTED', null]);
    expect(await metrics()).toContain('tallylight_no_egress_worker{kind="room_composite_audio"} 1');
    const { recorders, incidents } = await look();
    expect(recorders[1]?.availability).toBe('NONE');
    expect(incidents[0]).toMatchObject({ kind: 'no_egress_worker' });
    stack.simulator.busSilent(false);
    // Who has come since is asked for: nobody waits for the next round of questions.
    expect((await startIn(instance, 'unheard')).code).toBeNull();
    expect((await look()).recorders[1]?.availability).toBe('AVAILABLE');
    await eventually(
      async () =>
        (await look()).incidents.every(({ closedAt }) => closedAt !== null) || 'an incident is still open',
    );
  }, 60_000);

  it('opens an incident for a storage that is away, once, and closes it when it is back', async () => {
    await rename(stack.storageFolder, `${stack.storageFolder}-away`);
    try {
      await eventually(async () => (await look()).incidents[0]?.closedAt === null || 'no incident yet', {
        withinMs: 30_000,
      });
      const { incidents, state } = await look();
      expect(state).toBe('DEGRADED');
      expect(incidents[0]).toMatchObject({
        kind: 'dependency_unavailable',
        subject: 'storage',
        closedAt: null,
      });
    } finally {
      await rename(`${stack.storageFolder}-away`, stack.storageFolder);
    }
    await eventually(async () => (await look()).incidents[0]?.closedAt !== null || 'still open', {
      withinMs: 30_000,
    });
    expect((await look()).incidents.filter(({ subject }) => subject === 'storage')).toHaveLength(1);
  }, 90_000);

  it('can be looked at while Redis is away', async () => {
    await stack.redis.stop();
    await eventually(async () => (await look()).state === 'UNAVAILABLE' || 'not seen yet', {
      withinMs: 30_000,
    });
    expect((await look()).incidents).toMatchObject([{ kind: 'dependency_unavailable', subject: 'redis' }]);
    await stack.redis.restart();
    await eventually(async () => (await look()).state === 'OK' || 'not back', { withinMs: 30_000 });
  }, 90_000);
});
