import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';

/** Another process that goes on where this one was ended, at the same moment of the same clock. */
function restarted(play: SimulatedLiveKit): SimulatedLiveKit {
  const kept = JSON.parse(JSON.stringify(play.engine.keep()));
  play.engine.close();
  const next = new SimulatedLiveKit({ seed: 2 });
  next.engine.restore(kept);
  return next;
}

describe('a simulated LiveKit that was kept', () => {
  it('goes on with its rooms, who is in them, and what records; nobody is told again', async () => {
    const play = new SimulatedLiveKit();
    play.engine.openRoom('talk', { publishers: ['ada', 'grace'] });
    const egressId = await play.recording('talk');
    const sid = play.engine.rooms.get('talk').sid;

    const next = restarted(play);

    expect(next.engine.rooms.get('talk')).toMatchObject({ sid, shown: { participants: 2, publishers: 2 } });
    expect(next.engine.rooms.get('talk').hasRecorder).toBe(true);
    expect(next.status(egressId)).toBe('ACTIVE');
    expect(next.engine.runningEgressIds('talk')).toEqual([egressId]);
    await next.clock.advance(60_000);
    expect(next.told).toEqual([]);
    await next.answer(next.livekit.stopEgress(egressId));
    await next.clock.advance(5_000);
    expect(next.status(egressId)).toBe('COMPLETE');
    expect(next.media.has('/recordings/talk.mp4')).toBe(true);
    expect(next.engine.rooms.get('talk').hasRecorder).toBe(false);
  });

  it('lets a start that was under way become active', async () => {
    const play = new SimulatedLiveKit();
    play.engine.openRoom('talk');
    const egressId = await play.started('talk');
    const next = restarted(play);
    await next.clock.advance(10_000);
    expect(next.status(egressId)).toBe('ACTIVE');
  });

  it('delivers what was being uploaded, ended as it was to end', async () => {
    const play = new SimulatedLiveKit();
    const egressId = await play.recording('talk');
    play.engine.endEgress(egressId, 'limit-reached');
    const next = restarted(play);
    await next.clock.advance(5_000);
    expect(next.status(egressId)).toBe('LIMIT_REACHED');
    expect(next.media.has('/recordings/talk.mp4')).toBe(true);
  });

  it('has no recorder in a room whose process is gone, and remembers what has ended', async () => {
    const play = new SimulatedLiveKit();
    const lost = await play.recording('talk');
    const ended = await play.recording('hall');
    await play.answer(play.livekit.stopEgress(ended));
    await play.clock.advance(5_000);
    play.engine.killWorker();
    const next = restarted(play);
    expect(next.engine.rooms.get('talk').hasRecorder).toBe(false);
    expect([next.status(lost), next.status(ended)]).toEqual(['ACTIVE', 'COMPLETE']);
    expect(next.engine.runningEgressIds()).toEqual([]);
  });
});
