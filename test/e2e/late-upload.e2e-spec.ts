import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ApplyLiveKitEventJob } from '../../src/recordings/jobs/apply-livekit-event.job.js';
import { startStack, type TestInstance, type TestStack } from '../support/app.js';
import { aRecording, anEgress } from '../support/builders.js';
import { eventually } from '../support/eventually.js';
import { createRoom, DELETE, readRecording, startIn, STOP } from '../support/operations.js';

describe('media that lands after its recording was deleted', () => {
  let stack: TestStack;
  let instance: TestInstance;
  let room = '';
  let made = 0;

  beforeAll(async () => {
    stack = await startStack({
      RECORDING_START_TIMEOUT: '1s',
      LIVEKIT_START_TIMEOUT: '4s',
      LIVEKIT_TIMEOUT: '2s',
    });
    instance = await stack.start();
  });
  afterAll(() => stack.close());
  beforeEach(async () => {
    stack.simulator.clearFaults();
    room = `late-${(made += 1)}`;
    await createRoom(instance, room);
    stack.simulator.openRoom(room);
  });

  const mediaOf = (id: string): string => join(stack.storageFolder, `recordings/${room}/${id}.ogg`);
  const egress = () => stack.simulator.egresses().find(({ roomName }) => roomName === room);
  const rowIsGone = async (id: string): Promise<boolean | string> =>
    (await stack.redisClient.exists(`{tl}:recording:${id}`)) === 0 || 'its tombstone is still there';

  it.each([[[]], [['webhooks-lost']], [['upload-slow']], [['webhooks-lost', 'upload-slow']]] as const)(
    'by an egress that came up late and did not stop when asked is removed (%s)',
    async (faults) => {
      stack.simulator.setFault({ name: 'start-slow', room, delayMs: 1_500 });
      stack.simulator.setFault({ name: 'stop-408', room });
      for (const name of faults) stack.simulator.setFault({ name, room, delayMs: 1_500 });
      const started = await startIn(instance, room);
      expect(started.code).toBe('RECORDING_START_TIMEOUT');
      const id = started.recordingId!;
      const deleted = await instance.graphql<{ deleteRecording: { status: string } }>(DELETE, { id });
      expect(deleted.data.deleteRecording.status).toBe('FAILED');
      await expect(readRecording(instance, id)).rejects.toThrow('RECORDING_NOT_FOUND');
      expect(await rowIsGone(id)).not.toBe(true);
      // Only an egress that was ACTIVE and uploaded ends COMPLETE.
      await eventually(() => egress()?.status === 3 || `the egress is ${egress()?.status}`);
      await eventually(() => rowIsGone(id));
      await eventually(() => !existsSync(mediaOf(id)) || 'the media is still there');
      expect(await stack.redisClient.exists(`{tl}:slot:${room}`)).toBe(0);
      expect((await startIn(instance, `${room}`, { waitForActive: false })).code).toBeNull();
    },
    40_000,
  );

  it('is never announced: its last event is DELETED', async () => {
    const client = instance.subscriber();
    const events = client.iterate<{ recordingEvents: { type: string } }>({
      query: `subscription { recordingEvents(roomId: "${room}") { type } }`,
    });
    const seen: string[] = [];
    void (async () => {
      for await (const { data } of events) seen.push(data!.recordingEvents.type);
    })();
    stack.simulator.setFault({ name: 'start-slow', room, delayMs: 1_500 });
    const id = (await startIn(instance, room)).recordingId!;
    await instance.graphql(DELETE, { id });
    await eventually(() => (egress()?.status ?? 0) >= 3 || 'the egress is not over');
    await eventually(() => rowIsGone(id));
    expect(seen.filter((type) => type === 'REQUESTED').length).toBeLessThanOrEqual(1);
    expect(seen.at(-1)).toBe('DELETED');
  });

  it('is removed even when its egress is heard of after all trace of the recording was gone', async () => {
    const { recording } = await startIn(instance, room);
    const id = recording!.id;
    await instance.graphql(STOP, { id });
    await eventually(async () => (await readRecording(instance, id)).status === 'COMPLETE' || 'not COMPLETE');
    await instance.graphql(DELETE, { id });
    await eventually(() => rowIsGone(id));
    await mkdir(dirname(mediaOf(id)), { recursive: true });
    await writeFile(mediaOf(id), 'late');
    const seen = anEgress(aRecording(), { egressId: 'EG_late', status: 'COMPLETE', roomName: room });
    const event = {
      id: 'EV_late',
      kind: 'egress' as const,
      createdAtMs: 0,
      egress: { ...seen, filepath: mediaOf(id) },
    };
    await instance.app.get(ApplyLiveKitEventJob, { strict: false }).handle({ event });
    await eventually(() => !existsSync(mediaOf(id)) || 'the media is still there');
  });
});
