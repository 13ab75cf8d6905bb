import { aStart, SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import { PLEASANT_TIMINGS, REAL_TIMINGS } from './timings.js';

describe('what livekit-server answers about egresses', () => {
  let play: SimulatedLiveKit;
  beforeEach(() => {
    play = new SimulatedLiveKit();
  });

  describe('a start', () => {
    it('is refused with 404 at once in a room that is not open, and opens none', async () => {
      const { value, tookMs } = await play.timed(play.livekit.startEgress(aStart('nowhere')));
      expect(value).toMatchObject({ kind: 'refused', status: 404 });
      expect(tookMs).toBeLessThan(50);
      expect(await play.answer(play.livekit.listRooms())).toEqual([]);
    });

    it('takes half a second with an idle worker and less with one that records already', async () => {
      play.engine.openRoom('talk');
      const idle = await play.timed(play.livekit.startEgress(aStart('talk')));
      const busy = await play.timed(play.livekit.startEgress(aStart('talk')));
      expect(idle.tookMs).toBeGreaterThan(500);
      expect(busy.tookMs).toBeLessThan(150);
    });

    it('is held for many seconds and answered 503 when there is no worker', async () => {
      play.engine.openRoom('talk');
      play.engine.killWorker();
      const { value, tookMs } = await play.timed(play.livekit.startEgress(aStart('talk')));
      expect(value).toMatchObject({ kind: 'unknown', answered: true, status: 503 });
      expect(tookMs).toBeGreaterThan(18_000);
      expect(tookMs).toBeLessThan(28_000);
      expect(play.engine.egresses()).toEqual([]);
    });

    it('is taken late by a worker that comes up while it is held', async () => {
      play.engine.openRoom('talk');
      play.engine.killWorker();
      const start = play.timed(play.livekit.startEgress(aStart('talk')));
      await play.clock.advance(10_000);
      play.engine.addWorker();
      const { value, tookMs } = await start;
      expect(value).toMatchObject({ kind: 'accepted' });
      expect(tookMs).toBeGreaterThan(10_000);
    });

    it('is taken by a worker with as many free cores as its kind costs', async () => {
      play.engine.openRoom('talk');
      play.engine.killWorker();
      play.engine.addWorker(undefined, 2);
      const start = (audioOnly: boolean) =>
        play.answer(play.livekit.startEgress(aStart('talk', { audioOnly })));
      expect(await start(false)).toMatchObject({ status: 503 });
      expect(await play.answer(play.livekit.askFleet('talk', 'room_composite'))).toBe('nobody');
      expect(await start(true)).toMatchObject({ kind: 'accepted' });
      play.engine.addWorker(undefined, 5);
      expect(await start(false)).toMatchObject({ kind: 'accepted' });
      expect(await start(false)).toMatchObject({ status: 503 });
    });

    it('is answered 503 when every worker is full, and taken again when one is free', async () => {
      play.engine.killWorker();
      play.engine.addWorker(1);
      const first = await play.recording('talk');
      const full = await play.answer(play.livekit.startEgress(aStart('talk')));
      expect(full).toMatchObject({ status: 503 });
      await play.answer(play.livekit.stopEgress(first));
      await play.clock.advance(5_000);
      expect(await play.answer(play.livekit.startEgress(aStart('talk')))).toMatchObject({ kind: 'accepted' });
    });

    it('shows where it writes to and whose it is, and none of its secrets', async () => {
      const output = {
        ...{ kind: 's3' as const, filepath: 'a.mp4', bucket: 'rec', region: 'r', endpoint: 'http://s3.test' },
        ...{ accessKeyId: 'key-of-ours', secretAccessKey: 'secret-of-ours', forcePathStyle: true },
        deployment: 'prod',
      };
      const egressId = await play.recording('talk', { output });
      const shown = await play.answer(play.livekit.findEgress(egressId));
      expect(shown?.bucket).toEqual({ name: 'rec', endpoint: 'http://s3.test', deployment: 'prod' });
      expect(play.engine.egress(egressId)?.toJsonString()).not.toMatch(/-of-ours/);
    });

    it('without any output is a question that a worker answers and that leaves no trace', async () => {
      play.engine.openRoom('talk');
      await play.clock.advance(1_000);
      const toldBefore = play.told.length;
      const { value, tookMs } = await play.timed(play.livekit.askFleet('talk', 'room_composite'));
      expect(value).toBe('there');
      expect(tookMs).toBeGreaterThanOrEqual(500);
      expect(await play.answer(play.livekit.askFleet('nowhere', 'room_composite'))).toBe('room-not-open');
      play.engine.killWorker();
      expect(await play.answer(play.livekit.askFleet('talk', 'room_composite'))).toBe('nobody');
      expect([play.engine.egresses().length, play.told.length]).toEqual([0, toldBefore]);
    });

    it('does not spend on a question what is to strike starts', async () => {
      play.engine.openRoom('talk');
      play.engine.setFault({ name: 'start-refused-400', room: 'talk', times: 1 });
      expect(await play.answer(play.livekit.askFleet('talk', 'room_composite'))).toBe('there');
      expect(await play.answer(play.livekit.startEgress(aStart('talk')))).toMatchObject({ kind: 'refused' });
      expect(await play.answer(play.livekit.startEgress(aStart('talk')))).toMatchObject({ kind: 'accepted' });
    });
  });

  describe('a stop', () => {
    it('is answered ENDING as often as it is asked while the egress ends', async () => {
      const egressId = await play.recording('talk');
      for (const time of ['first', 'second']) {
        const { value, tookMs } = await play.timed(play.livekit.stopEgress(egressId));
        expect({ time, value }).toMatchObject({ value: { kind: 'stopping', egress: { status: 'ENDING' } } });
        expect(tookMs).toBeLessThan(100);
      }
      expect(play.toldOfEgresses().filter((line) => line === 'egress_updated ENDING')).toHaveLength(1);
    });

    it('of an ended egress is answered 412 after three seconds', async () => {
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      const { value, tookMs } = await play.timed(play.livekit.stopEgress(egressId));
      expect(value).toEqual({ kind: 'not-stoppable', status: 'COMPLETE' });
      expect(tookMs).toBeGreaterThanOrEqual(3_000);
    });

    it('of an unknown egress is answered 404 after three seconds', async () => {
      const { value, tookMs } = await play.timed(play.livekit.stopEgress('EG_nobody'));
      expect(value).toEqual({ kind: 'not-known' });
      expect(tookMs).toBeGreaterThanOrEqual(3_000);
    });

    it('waits for a browser that is still coming up, and then aborts it', async () => {
      play.engine.openRoom('talk');
      const egressId = await play.started('talk');
      const { value, tookMs } = await play.timed(play.livekit.stopEgress(egressId));
      expect(value).toMatchObject({ egress: { status: 'ABORTED' } });
      expect(tookMs).toBeGreaterThan(2_000);
    });

    it('of a browser that takes too long is answered 408 and takes effect later', async () => {
      const timings = { ...REAL_TIMINGS, browser: { ...REAL_TIMINGS.browser, joinMs: 18_000 } };
      play = new SimulatedLiveKit({ timings });
      play.engine.openRoom('talk');
      const egressId = await play.started('talk');
      const stop = await play.answer(play.livekit.stopEgress(egressId));
      expect(stop).toEqual({ kind: 'no-answer-from-worker' });
      expect(play.status(egressId)).toBe('STARTING');
      await play.clock.advance(5_000);
      expect(play.status(egressId)).toBe('ABORTED');
    });
  });

  describe('a list', () => {
    it('by id ignores everything else, and an unknown id is not found', async () => {
      const egressId = await play.recording('talk');
      expect(await play.answer(play.livekit.findEgress(egressId))).toMatchObject({ egressId });
      expect(await play.answer(play.livekit.findEgress('EG_nobody'))).toBeNull();
    });

    it('by room or of the active ones leaves out the others', async () => {
      const talk = await play.recording('talk');
      const walk = await play.recording('walk');
      await play.answer(play.livekit.stopEgress(talk));
      await play.clock.advance(5_000);
      const ids = async (filter?: { roomName?: string; active?: boolean }): Promise<string[]> =>
        (await play.answer(play.livekit.listEgresses(filter))).map((seen) => seen.egressId).sort();
      expect(await ids()).toEqual([talk, walk].sort());
      expect(await ids({ active: true })).toEqual([walk]);
      expect(await ids({ roomName: 'talk' })).toEqual([talk]);
      expect(await ids({ roomName: 'talk', active: true })).toEqual([]);
    });
  });

  describe('the question whether a worker is alive', () => {
    it('is answered at once while the egress is STARTING or ACTIVE, and changes nothing', async () => {
      play.engine.openRoom('talk');
      const egressId = await play.started('talk');
      expect(await play.answer(play.livekit.askWorker(egressId))).toBe('alive');
      await play.clock.advance(10_000);
      const { value, tookMs } = await play.timed(play.livekit.askWorker(egressId));
      expect([value, play.status(egressId)]).toEqual(['alive', 'ACTIVE']);
      expect(tookMs).toBeLessThan(50);
    });

    it('tells nothing while the egress is ENDING; the second stop does', async () => {
      play.engine.setFault({ name: 'upload-slow', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      expect(await play.answer(play.livekit.askWorker(egressId))).toBe('not-askable');
      expect(await play.answer(play.livekit.askEndingWorker(egressId))).toBe('alive');
      play.engine.killWorker();
      play.engine.addWorker();
      expect(await play.answer(play.livekit.askWorker(egressId))).toBe('not-askable');
      expect(await play.answer(play.livekit.askEndingWorker(egressId))).toBe('silent');
      await play.clock.advance(3_600_000);
      expect(play.status(egressId)).toBe('ENDING');
    });

    it('is answered after three seconds for an egress that has ended or never was', async () => {
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      const ended = await play.timed(play.livekit.askWorker(egressId));
      const unknown = await play.timed(play.livekit.askWorker('EG_nobody'));
      expect([ended.value, unknown.value]).toEqual(['not-askable', 'not-known']);
      expect(Math.min(ended.tookMs, unknown.tookMs)).toBeGreaterThanOrEqual(3_000);
    });
  });

  it('is ready within two seconds for whoever tries the product out', async () => {
    play = new SimulatedLiveKit({ timings: PLEASANT_TIMINGS });
    play.engine.openRoom('talk');
    const egressId = await play.started('talk');
    await play.clock.advance(1_500);
    expect(play.status(egressId)).toBe('ACTIVE');
  });
});
