import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';

describe('rooms', () => {
  let play: SimulatedLiveKit;
  beforeEach(() => {
    play = new SimulatedLiveKit();
  });
  const room = () => play.answer(play.livekit.findRoom('talk'));

  it('a room in which nobody ever was closes after its empty timeout', async () => {
    play.engine.openRoom('talk', { publishers: [] });
    await play.clock.advance(299_000);
    expect(await room()).not.toBeNull();
    await play.clock.advance(2_000);
    expect(await room()).toBeNull();
    expect(play.told).toEqual(['room_started', 'room_finished']);
  });

  it('a room outlives its last guest by the departure timeout, unless somebody comes back', async () => {
    play.engine.openRoom('talk', { publishers: ['ann'] });
    play.engine.leave('talk', 'ann');
    await play.clock.advance(15_000);
    play.engine.join('talk', 'bob');
    await play.clock.advance(60_000);
    expect(await room()).toMatchObject({ numParticipants: 1 });
    play.engine.leave('talk', 'bob');
    await play.clock.advance(21_000);
    expect(await room()).toBeNull();
  });

  it('a room counts its departure timeout from the last time that it was left', async () => {
    play.engine.openRoom('talk', { publishers: ['ann'] });
    play.engine.leave('talk', 'ann');
    await play.clock.advance(5_000);
    play.engine.join('talk', 'ann');
    await play.clock.advance(5_000);
    play.engine.leave('talk', 'ann');
    await play.clock.advance(15_000);
    expect(await room()).not.toBeNull();
    await play.clock.advance(6_000);
    expect(await room()).toBeNull();
  });

  it('neither a recorder nor an agent keeps a room open', async () => {
    const egressId = await play.recording('talk');
    play.engine.join('talk', 'helper', 'agent');
    play.engine.leave('talk', 'somebody');
    await play.clock.advance(21_000);
    expect(await room()).toBeNull();
    expect(play.status(egressId)).toBe('COMPLETE');
  });

  it('shows its counts late, and whether it is recorded at once', async () => {
    play.engine.openRoom('talk', { publishers: [] });
    play.engine.join('talk', 'ann');
    play.engine.publish('talk', 'ann');
    expect(await room()).toMatchObject({ numParticipants: 0, numPublishers: 0 });
    await play.clock.advance(5_000);
    expect(await room()).toMatchObject({ numParticipants: 1, numPublishers: 1 });
    await play.started('talk');
    await play.clock.advance(3_000);
    expect(await room()).toMatchObject({ numParticipants: 1, activeRecording: true });
  });

  it('a participant who joins says nothing of publishing; that is told on its own', async () => {
    play.engine.openRoom('talk', { publishers: ['ann'] });
    await play.clock.advance(100);
    expect(play.told).toEqual(['room_started', 'participant_joined', 'track_published', 'track_published']);
    expect(play.delivered[1]?.event.participant?.tracks).toEqual([]);
  });

  it('an unknown room has no participants, and data sent into it meets silence', async () => {
    expect(await play.answer(play.livekit.listParticipants('nowhere'))).toEqual([]);
    const sending = play.timed(
      play.livekit.sendData('nowhere', 't', Buffer.from('{}')).catch((error) => error),
    );
    const { value, tookMs } = await sending;
    expect(value).toMatchObject({ code: 'LIVEKIT_UNAVAILABLE' });
    expect(tookMs).toBeGreaterThanOrEqual(3_000);
  });

  it('keeps what was sent to those in it', async () => {
    play.engine.openRoom('talk');
    await play.answer(play.livekit.sendData('talk', 'topic', Buffer.from('hello'), ['somebody']));
    expect(play.engine.sentData('talk')).toEqual([
      { roomName: 'talk', topic: 'topic', payload: Buffer.from('hello'), to: ['somebody'] },
    ]);
  });

  it('after a restart of the server look empty for five seconds while their egresses go on', async () => {
    const egressId = await play.recording('talk');
    const toldBefore = play.told.length;
    play.engine.restartServer();
    const away = await play.answer(play.livekit.findRoom('talk').catch((error) => error));
    expect(away).toMatchObject({ code: 'LIVEKIT_UNAVAILABLE' });
    await play.clock.advance(2_000);
    expect(await room()).toMatchObject({ numParticipants: 0, numPublishers: 0, activeRecording: true });
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('alive');
    await play.clock.advance(5_000);
    expect(await room()).toMatchObject({ numParticipants: 1, numPublishers: 1, activeRecording: true });
    expect(play.told.slice(toldBefore)).toEqual([
      'room_started',
      'participant_joined',
      'participant_joined recorder',
    ]);
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect(play.status(egressId)).toBe('COMPLETE');
  });

  it('are gone with their egresses when the server loses its database', async () => {
    const egressId = await play.recording('talk');
    play.engine.loseEverything();
    expect(await room()).toBeNull();
    expect(await play.answer(play.livekit.findEgress(egressId))).toBeNull();
    await play.clock.advance(60_000);
    expect(play.engine.rooms.list([])).toEqual([]);
  });
});
