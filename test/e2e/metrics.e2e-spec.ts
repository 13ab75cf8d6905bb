import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.js';
import { aConfig } from '../support/a-config.js';
import { ADMIN_KEY, startStack, type TestInstance, type TestStack } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../../src/embedded/free-port.js';

const QUIET = { logTo: { write: () => undefined } };

describe('what Prometheus reads', () => {
  let stack: TestStack;
  let instance: TestInstance;
  beforeAll(async () => {
    stack = await startStack();
    instance = await stack.start();
  });
  afterAll(() => stack.close());

  const asAdmin = { authorization: `Bearer ${ADMIN_KEY}` };
  const read = async (url = instance.url, headers: Record<string, string> = asAdmin): Promise<string> =>
    (await fetch(`${url}/metrics`, { headers })).text();
  /** The value of one series, or null. */
  const valueOf = (page: string, series: string): number | null => {
    const line = page.split('\n').find((l) => l.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length + 1));
  };

  it('is for an ADMIN alone on the main port, by bearer or as a password', async () => {
    const refused = await fetch(`${instance.url}/metrics`);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('Basic'),
    ]);
    const password = Buffer.from(`prometheus:${ADMIN_KEY}`).toString('base64');
    for (const authorization of [`Bearer ${ADMIN_KEY}`, `Basic ${password}`]) {
      const answer = await fetch(`${instance.url}/metrics`, { headers: { authorization } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=/);
    }
  });

  it('tells of a recording from its request to its end, of what LiveKit was asked, and of what waits', async () => {
    await instance.graphql('mutation { createRoom(input: { id: "measured", name: "Measured" }) { id } }');
    stack.simulator.openRoom('measured', { publishers: ['ada'] });
    const { data } = await instance.graphql<{ startRecording: { id: string } }>(
      'mutation { startRecording(input: { roomId: "measured" }) { id } }',
    );
    // The commit is seen by whoever waits for it before the process that made it has counted it.
    await eventually(async () => {
      const running = await read();
      expect(valueOf(running, 'tallylight_recordings_in_progress{status="ACTIVE"}')).toBe(1);
      expect(valueOf(running, 'tallylight_recordings_requested_total')).toBe(1);
      expect(valueOf(running, 'tallylight_recording_start_seconds_count')).toBe(1);
      expect(valueOf(running, 'tallylight_redis_up')).toBe(1);
      expect(valueOf(running, 'tallylight_recording_starts_total{outcome="ACTIVE"}')).toBe(1);
      const start = 'type="mutation",field="startRecording",outcome="ok"';
      expect(valueOf(running, `tallylight_graphql_operation_seconds_count{${start}}`)).toBe(1);
      expect(valueOf(running, 'tallylight_livekit_webhook_lag_seconds_count')).toBeGreaterThan(0);
      expect(valueOf(running, 'tallylight_event_log_length')).toBeGreaterThan(1);
      expect(valueOf(running, 'tallylight_oldest_unsettled_seconds')).toBeGreaterThan(0);
      expect(
        valueOf(running, 'tallylight_sweep_age_seconds{sweep="LIVEKIT_RECONCILIATION"}'),
      ).toBeGreaterThanOrEqual(0);
      expect(valueOf(running, 'tallylight_incidents_open{kind="breaker_open"}')).toBe(0);
      expect(valueOf(running, 'tallylight_unexplained')).toBe(0);
      expect(running).toMatch(
        /tallylight_livekit_request_seconds_count\{method="Egress\/StartRoomCompositeEgress",outcome="ok"\} 1/,
      );
      expect(running).toMatch(
        /tallylight_http_request_seconds_count\{method="POST",route="\/graphql",status="200"\}/,
      );
      expect(running).toMatch(/tallylight_jobs\{queue="inbox",state="waiting"\} \d/);
      return true;
    });
    await instance.graphql('mutation ($id: ID!) { stopRecording(id: $id) { id } }', {
      id: data.startRecording.id,
    });
    const ended = 'tallylight_recordings_ended_total{status="COMPLETE",end_reason="STOP_REQUESTED"}';
    await eventually(async () => valueOf(await read(), ended) === 1 || 'its end is not counted');
    await eventually(async () => {
      expect(valueOf(await read(), 'tallylight_recordings_in_progress{status="ACTIVE"}')).toBe(0);
      return true;
    });
  });

  it('has no series for what a request may choose', async () => {
    await fetch(`${instance.url}/recordings/rec_of-my-own-choice/media?token=also-mine`);
    await fetch(`${instance.url}/a-path-of-my-own`, { method: 'OPTIONS' });
    await eventually(async () => {
      const page = await read();
      expect(page).toContain('route="/recordings/:id/media"');
      expect(page).toMatch(/method="other",route="none",status="404"/);
      expect(page).not.toMatch(/of-my-own|also-mine/);
      return true;
    });
  });

  it('is told that Redis is away, by a page that is there all the same', async () => {
    await stack.redis.kill();
    const page = await read();
    expect(valueOf(page, 'tallylight_redis_up')).toBe(0);
    expect(page).not.toMatch(/^tallylight_(jobs|recordings_in_progress)\{/m);
    expect(page).toContain('process_cpu_seconds_total');
    await stack.redis.restart();
    const isUp = async (): Promise<boolean | string> =>
      valueOf(await read(), 'tallylight_redis_up') === 1 || 'Redis is not back';
    await eventually(isUp);
  });

  describe('with a port of their own', () => {
    let app: NestFastifyApplication | null = null;
    afterEach(async () => {
      await app?.close();
      app = null;
    });

    it('are for anyone there, and there is nothing else', async () => {
      const port = await freePort();
      app = await createApp(aConfig({ ...stack.env, ROLE: 'worker', METRICS_PORT: String(port) }), QUIET);
      await app.listen(0, '127.0.0.1');
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => {
        expect(valueOf(await read(url, {}), 'tallylight_redis_up')).toBe(1);
        return true;
      });
      const other = await fetch(`${url}/graphql`);
      expect([other.status, await other.json()]).toEqual([
        404,
        { error: { code: 'NOT_FOUND', message: expect.any(String) as string } },
      ]);
      expect((await fetch(`${await app.getUrl()}/metrics`)).status).toBe(401);
    });

    it('end the start with a sentence where that port is taken', async () => {
      const { port } = new URL(instance.url);
      app = await createApp(aConfig({ ...stack.env, METRICS_PORT: port }), QUIET);
      await expect(app.listen(0, '127.0.0.1')).rejects.toThrow(/METRICS_PORT/);
    });
  });
});
