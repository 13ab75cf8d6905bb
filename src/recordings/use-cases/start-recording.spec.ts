import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import type { Actor } from '../../kernel/actor.js';
import { TallyError } from '../../kernel/errors.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { WorkerAvailability } from '../recorders/worker-availability.port.js';
import { RecordingStore } from '../store/recording.store.js';

const redisIsAway = async (): Promise<never> => {
  throw new TallyError('REDIS_UNAVAILABLE', 'Redis does not answer');
};

describe('a start', () => {
  it('is answered at once where its caller does not wait', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const started = await scene.start({ waitForActive: false });
    expect(started).toMatchObject({ status: 'STARTING', roomId: 'talk', egressId: null });
    await scene.run(10_000);
    expect(scene.row(started.id).status).toBe('ACTIVE');
  });

  it('records as the request says, and as the room is set where it says nothing', async () => {
    const scene = new CoreScene();
    const own = {
      layout: 'SPEAKER',
      preset: 'H264_1080P_30',
      audioOnly: true,
      maxDurationMs: 60_000,
    } as const;
    await scene.meeting('talk', own);
    const byRoom = await scene.start({ audioOnly: undefined });
    const { maxDurationMs, ...shown } = own;
    expect(byRoom).toMatchObject({ ...shown, upkeep: { maxDurationMs } });
    await scene.meeting('other', own);
    const asked = { layout: 'SINGLE_SPEAKER', preset: 'H264_720P_60', audioOnly: false } as const;
    const byRequest = await scene.start({ roomId: 'other', ...asked, maxDurationMs: 30_000 });
    expect(byRequest).toMatchObject({ ...asked, upkeep: { maxDurationMs: 30_000 } });
    await scene.meeting('third');
    const { upkeep } = await scene.start({ roomId: 'third' });
    expect(upkeep.maxDurationMs).toBe(scene.world.config.recordingMaxDurationMs);
  });

  it('makes a room known that is open in LiveKit only', async () => {
    const scene = new CoreScene();
    scene.world.engine.join('talk', 'ann');
    scene.world.engine.publish('talk', 'ann');
    await scene.run(1_000);
    expect((await scene.start()).status).toBe('ACTIVE');
    expect(scene.world.rooms.rooms.has('talk')).toBe(true);
  });

  it('is told which recording it was where something is wrong with us once it may have been stored', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(RecordingStore, 'commit', async () => {
      throw new Error('a fault of ours');
    });
    const refusal = await scene.refusal(scene.start());
    expect(refusal).toMatchObject({
      code: 'INTERNAL',
      subject: { recordingId: expect.stringMatching(/^rec_/) },
      cause: { message: 'a fault of ours' },
    });
  });

  it('is told which recording it was where Redis is lost once it may have been stored', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(RecordingStore, 'commit', redisIsAway, 4);
    const refusal = await scene.refusal(scene.start());
    expect(refusal).toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      subject: { recordingId: expect.stringMatching(/^rec_/) },
    });
    expect(refusal.message).toContain('may have been stored');
  });

  it('is told the error of its own recording as it is', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.setFault({ name: 'start-refused-400', room: 'talk' });
    const refusal = await scene.refusal(scene.start());
    expect(refusal).toMatchObject({ code: 'RECORDING_START_REJECTED' });
    expect(refusal.message).not.toContain('may have been stored');
  });

  it('is carried on where another has written its row since it was stored', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(RecordingStore, 'commit', async (step) => {
      await scene.use(RecordingStore).commit(step);
      return { kind: 'moved-on' };
    });
    expect((await scene.start()).status).toBe('ACTIVE');
  });
});

describe('a start is refused', () => {
  async function refusal(scene: CoreScene, request = {}, by: Actor = ADMIN) {
    const refused = await scene.refusal(scene.start(request, by));
    expect(scene.world.engine.egresses()).toEqual([]);
    return refused;
  }

  it('in a room that is neither known nor open', async () => {
    const scene = new CoreScene();
    const refused = await refusal(scene);
    expect(refused).toMatchObject({ code: 'ROOM_NOT_FOUND', subject: { roomId: 'talk' } });
  });

  it('to who has no right to it', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const viewer = { ...ADMIN, role: 'VIEWER' } as const;
    expect(await refusal(scene, {}, viewer)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('in a room in which recording is disabled', async () => {
    const scene = new CoreScene();
    await scene.meeting('talk', { enabled: false });
    const refused = await refusal(scene);
    expect(refused).toMatchObject({ code: 'RECORDING_DISABLED', subject: { roomId: 'talk' } });
  });

  it('in a room that is not open', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.closeRoom('talk');
    const refused = await refusal(scene);
    expect(refused).toMatchObject({ code: 'ROOM_NOT_OPEN', subject: { roomId: 'talk' } });
  });

  it('in a room in which nobody is but recorders and agents', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const { engine } = scene.world;
    engine.join('talk', 'helper', 'agent');
    engine.leave('talk', 'ann');
    await scene.run(6_000);
    const refused = await refusal(scene);
    expect(refused).toMatchObject({ code: 'ROOM_HAS_NO_PARTICIPANTS', subject: { roomId: 'talk' } });
    scene.instead(LiveKit, 'listParticipants', async () => [
      { identity: 'EG_x', kind: 'egress', publishes: false },
    ]);
    expect(await refusal(scene)).toMatchObject({ code: 'ROOM_HAS_NO_PARTICIPANTS' });
  });

  it('where its room is deleted while LiveKit is asked', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(LiveKit, 'findRoom', async (name) => {
      scene.world.rooms.rooms.delete('talk');
      return scene.use(LiveKit).findRoom(name);
    });
    expect(await refusal(scene)).toMatchObject({ code: 'ROOM_NOT_FOUND', subject: { roomId: 'talk' } });
    expect(scene.world.rows()).toEqual([]);
  });
});

describe('a start in a room whose counts LiveKit has not brought up to date', () => {
  it('records who is there, an agent beside them or not', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.join('talk', 'helper', 'agent');
    scene.instead(LiveKit, 'findRoom', async (name) => {
      const room = await scene.use(LiveKit).findRoom(name);
      return room && { ...room, numParticipants: 0 };
    });
    expect((await scene.start()).status).toBe('ACTIVE');
  });

  it('does not ask who is there where LiveKit counts somebody', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    await scene.run(6_000);
    scene.instead(LiveKit, 'listParticipants', async () => []);
    expect((await scene.start()).status).toBe('ACTIVE');
  });
});

describe('a second start in one room', () => {
  it('is told so also where the room is not open any more', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    scene.world.engine.setReceiver(null);
    scene.world.engine.closeRoom('talk');
    expect(await scene.refusal(scene.start())).toMatchObject({
      code: 'RECORDING_ALREADY_STARTED',
      subject: { recordingId: id },
    });
  });

  it('is looked for in LiveKit’s list only where a recorder is in the room', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(LiveKit, 'listEgresses', async () => {
      throw new TallyError('LIVEKIT_UNAVAILABLE', 'no answer');
    });
    expect((await scene.start({ waitForActive: false })).status).toBe('STARTING');
  });

  it('is refused and told which recording is in its way', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    const refused = await scene.refusal(scene.start());
    const taken = { code: 'RECORDING_ALREADY_STARTED', subject: { roomId: 'talk', recordingId: id } };
    expect(refused).toMatchObject(taken);
    // Both were let through before one of them was stored.
    scene.instead(RecordingStore, 'slotHolder', async () => null);
    scene.instead(LiveKit, 'listEgresses', async () => []);
    expect(await scene.refusal(scene.start())).toMatchObject(taken);
    expect(scene.world.rows()).toHaveLength(1);
  });

  it('is refused where Redis has forgotten who holds the room, and a recorder of ours is in it', async () => {
    const scene = new CoreScene();
    const { id } = await scene.recorded();
    await scene.run(6_000);
    scene.world.recordings.slots.delete('talk');
    expect(await scene.refusal(scene.start())).toMatchObject({
      code: 'RECORDING_ALREADY_STARTED',
      subject: { roomId: 'talk', recordingId: id },
    });
  });

  it('is let through where the recorder in it is nobody’s, or of what is over or unknown', async () => {
    const scene = new CoreScene();
    const first = await scene.recorded();
    await scene.run(6_000);
    const [shown] = await scene.answer(scene.use(LiveKit).listEgresses());
    const others = [{ ...shown!, filepath: null }];
    for (const [row, listed] of [
      [first, others],
      [{ ...first, status: 'COMPLETE' as const }, [shown!]],
      [null, [shown!]],
    ] as const) {
      if (row === null) scene.forget(first);
      else scene.put(row);
      scene.world.recordings.slots.delete('talk');
      scene.instead(LiveKit, 'listEgresses', async () => [...listed]);
      const next = await scene.start({ waitForActive: false });
      expect(next.status).toBe('STARTING');
      scene.forget(next);
    }
  });
});

describe('a start where LiveKit has said that no worker takes one', () => {
  const absent = async (): Promise<boolean> => true;

  it('is refused while nobody answers, with what would help', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.world.engine.killWorker();
    for (const [audioOnly, what] of [
      [true, 'an audio recording'],
      [false, 'a recording'],
    ] as const) {
      scene.instead(WorkerAvailability, 'isAbsent', absent);
      const refused = await scene.refusal(scene.start({ audioOnly }));
      expect(refused).toMatchObject({ code: 'RECORDING_START_REJECTED', subject: { roomId: 'talk' } });
      expect(refused.message).toContain(`no egress worker takes ${what},`);
    }
    expect(scene.world.rows()).toEqual([]);
  });

  it('is refused where LiveKit says at once that nobody is there', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(WorkerAvailability, 'isAbsent', absent);
    scene.instead(LiveKit, 'askFleet', async () => 'nobody');
    expect(await scene.refusal(scene.start())).toMatchObject({ code: 'RECORDING_START_REJECTED' });
  });

  it('is let through once a worker has come, which is noted', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const noted: unknown[] = [];
    scene.instead(WorkerAvailability, 'isAbsent', absent);
    scene.instead(WorkerAvailability, 'note', async (kind, isThere) => void noted.push([kind, isThere]));
    expect((await scene.start()).status).toBe('ACTIVE');
    expect(noted).toEqual([['room_composite_audio', true]]);
  });

  it('is let through where LiveKit can not be asked, of which nothing is noted', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    const noted: unknown[] = [];
    scene.instead(WorkerAvailability, 'isAbsent', absent);
    scene.instead(WorkerAvailability, 'note', async (kind) => void noted.push(kind));
    scene.instead(LiveKit, 'askFleet', async () => {
      throw new TallyError('LIVEKIT_UNAVAILABLE', 'no answer');
    });
    expect((await scene.start()).status).toBe('ACTIVE');
    expect(noted).toEqual([]);
  });

  it('needs none for which LiveKit has not said so', async () => {
    const scene = new CoreScene();
    await scene.meeting();
    scene.instead(LiveKit, 'askFleet', async () => 'nobody');
    expect((await scene.start()).status).toBe('ACTIVE');
  });
});
