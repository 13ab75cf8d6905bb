import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';

describe('workers that die, fall silent and come back', () => {
  let play: SimulatedLiveKit;
  beforeEach(() => {
    play = new SimulatedLiveKit();
  });

  it('a worker killed with its child says nothing ever: the egress is listed ACTIVE for good', async () => {
    const egressId = await play.recording('talk');
    play.engine.killWorker();
    play.engine.addWorker();
    const told = play.toldOfEgresses().length;
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('silent');
    expect(await play.answer(play.livekit.stopEgress(egressId))).toEqual({ kind: 'no-answer-from-worker' });
    expect(await play.answer(play.livekit.askFleet('talk', 'room_composite'))).toBe('there');
    play.engine.closeRoom('talk');
    await play.clock.advance(3_600_000);
    expect([play.status(egressId), play.toldOfEgresses().length, play.media.size]).toEqual([
      'ACTIVE',
      told,
      0,
    ]);
  });

  it('a recorder of which the server has lost the record answers all the same, and reports its end', async () => {
    const egressId = await play.recording('talk');
    play.engine.loseEgresses();
    expect(await play.answer(play.livekit.findEgress(egressId))).toBeNull();
    expect(await play.answer(play.livekit.listEgresses({ active: true }))).toEqual([]);
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('alive');
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: true });
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect(play.status(egressId)).toBe('COMPLETE');
  });

  it('a recorder that died with its worker is shown in the room for some twenty seconds more', async () => {
    const egressId = await play.recording('talk');
    play.engine.killWorker();
    const isShown = async (): Promise<boolean> =>
      (await play.answer(play.livekit.listParticipants('talk'))).some(
        ({ identity }) => identity === egressId,
      );
    await play.clock.advance(20_000);
    expect(await isShown()).toBe(true);
    await play.clock.advance(4_000);
    expect(await isShown()).toBe(false);
    expect(play.told.at(-1)).toBe('participant_left recorder');
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: false });
  });

  it('a child left behind by its worker sits in the room to the end and uploads nothing', async () => {
    const egressId = await play.recording('talk');
    play.engine.killWorker({ withChild: false });
    await play.clock.advance(3_600_000);
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: true });
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('silent');
    expect(play.engine.runningEgressIds()).toEqual([egressId]);
    play.engine.closeRoom('talk');
    await play.clock.advance(60_000);
    expect([play.status(egressId), play.media.size, play.engine.runningEgressIds()]).toEqual([
      'ACTIVE',
      0,
      [],
    ]);
  });

  it('a child left behind leaves when its recorder is removed from the room', async () => {
    const egressId = await play.recording('talk');
    play.engine.killWorker({ withChild: false });
    expect(await play.answer(play.livekit.removeRecorder('talk', egressId))).toBe(true);
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: false });
    await play.clock.advance(60_000);
    expect([play.status(egressId), play.media.size, play.engine.runningEgressIds()]).toEqual([
      'ACTIVE',
      0,
      [],
    ]);
  });

  it('a crashed child is reported at once, and shown in its room for thirty seconds', async () => {
    const egressId = await play.recording('talk');
    play.engine.endEgress(egressId, 'child-crash');
    expect(await play.answer(play.livekit.findEgress(egressId))).toMatchObject({
      status: 'FAILED',
      errorCode: 500,
      error: expect.stringMatching(/: signal: killed$/),
      endCause: 'recorder-crashed',
      file: { uploaded: false, startedAtMs: null },
    });
    await play.clock.advance(29_000);
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: true });
    await play.clock.advance(2_000);
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: false });
  });

  it('a paused worker answers nothing and is alive again afterwards, with all its media', async () => {
    const egressId = await play.recording('talk');
    play.engine.pauseWorker();
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('silent');
    await play.clock.advance(20_000);
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: true });
    play.engine.resumeWorker();
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('alive');
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect([play.status(egressId), play.media.size]).toEqual(['COMPLETE', 1]);
  });

  it('what happened while a worker was paused is told afterwards, the last of it alone', async () => {
    const egressId = await play.recording('talk');
    play.engine.pauseWorker();
    play.engine.closeRoom('talk');
    await play.clock.advance(30_000);
    expect(play.status(egressId)).toBe('ACTIVE');
    play.engine.resumeWorker();
    await play.clock.advance(1_000);
    expect(play.status(egressId)).toBe('COMPLETE');
    expect(play.toldOfEgresses()).toEqual([
      'egress_started STARTING',
      'egress_updated ACTIVE',
      'egress_ended COMPLETE',
    ]);
  });

  it('a silent message bus looks like death of all, and no start gets through', async () => {
    const egressId = await play.recording('talk');
    play.engine.busSilent(true);
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('silent');
    expect(await play.answer(play.livekit.askFleet('talk', 'room_composite'))).toBe('nobody');
    expect(await play.answer(play.livekit.findEgress(egressId))).toMatchObject({ status: 'ACTIVE' });
    play.engine.busSilent(false);
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('alive');
  });

  it('a stop that is asked while the bus comes back still gets through', async () => {
    const egressId = await play.recording('talk');
    play.engine.busSilent(true);
    const stop = play.livekit.stopEgress(egressId);
    await play.clock.advance(1_500);
    play.engine.busSilent(false);
    expect(await play.answer(stop)).toMatchObject({ kind: 'stopping' });
  });

  it('only the egresses of the worker that died fall silent', async () => {
    const first = await play.recording('talk');
    play.engine.addWorker();
    const second = await play.recording('walk');
    play.engine.killWorker({ id: 'worker-1' });
    expect(await play.answer(play.livekit.askWorker(first))).toBe('silent');
    expect(await play.answer(play.livekit.askWorker(second))).toBe('alive');
  });
});
