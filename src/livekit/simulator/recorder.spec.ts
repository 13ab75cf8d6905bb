import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';

describe('the life of a recording', () => {
  let play: SimulatedLiveKit;
  beforeEach(() => {
    play = new SimulatedLiveKit();
  });

  it('begins STARTING, becomes ACTIVE while somebody publishes and ends COMPLETE with its media', async () => {
    play.engine.openRoom('talk');
    const egressId = await play.started('talk');
    expect(play.status(egressId)).toBe('STARTING');
    await play.clock.advance(10_000);
    expect(play.status(egressId)).toBe('ACTIVE');
    const stop = await play.answer(play.livekit.stopEgress(egressId));
    expect(stop).toMatchObject({ kind: 'stopping', egress: { status: 'ENDING', endCause: 'stop-api' } });
    expect(play.media.size).toBe(0);
    await play.clock.advance(5_000);
    const seen = await play.answer(play.livekit.findEgress(egressId));
    const bytes = play.media.get('/recordings/talk.mp4');
    expect(seen).toMatchObject({
      status: 'COMPLETE',
      error: null,
      file: { uploaded: true, filename: '/recordings/talk.mp4', sizeBytes: bytes?.length },
    });
    expect(bytes?.subarray(4, 8).toString('latin1')).toBe('ftyp');
    expect(play.toldOfEgresses()).toEqual([
      'egress_started STARTING',
      'egress_updated ACTIVE',
      'egress_updated ENDING',
      'egress_ended COMPLETE',
    ]);
  });

  it('has its media in place before anybody is told that it ended', async () => {
    const egressId = await play.recording('talk');
    let wasThere: boolean | null = null;
    play.engine.setReceiver(async ({ event }) => {
      if (event.event === 'egress_ended') wasThere = play.media.has('/recordings/talk.mp4');
      return { status: 200 };
    });
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect(wasThere).toBe(true);
  });

  it('is ready sooner and writes an OGG when audio alone is recorded', async () => {
    play.engine.openRoom('talk');
    const egressId = await play.started('talk', { audioOnly: true });
    await play.clock.advance(1_000);
    expect(play.status(egressId)).toBe('ACTIVE');
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(1_000);
    expect(play.media.get('/recordings/talk.ogg')?.subarray(0, 4).toString('latin1')).toBe('OggS');
  });

  it('is told to the webhooks before the start is answered', async () => {
    play.engine.openRoom('talk');
    await play.started('talk');
    expect(play.toldOfEgresses()).toEqual(['egress_started STARTING']);
  });

  it('stays STARTING in a room where nobody publishes, until somebody does', async () => {
    play.engine.openRoom('talk', { publishers: [] });
    play.engine.join('talk', 'listener');
    const egressId = await play.started('talk');
    await play.clock.advance(3_600_000);
    expect(play.status(egressId)).toBe('STARTING');
    play.engine.publish('talk', 'listener');
    await play.clock.advance(2_000);
    expect(play.status(egressId)).toBe('ACTIVE');
  });

  it('is ABORTED without a file when it is stopped while STARTING, and no ENDING is told', async () => {
    play.engine.openRoom('talk', { publishers: [] });
    play.engine.join('talk', 'listener');
    const egressId = await play.started('talk');
    await play.clock.advance(5_000);
    const stop = await play.answer(play.livekit.stopEgress(egressId));
    expect(stop).toMatchObject({
      egress: {
        status: 'ABORTED',
        errorCode: 412,
        error: expect.stringMatching(/: Start signal not received$/),
      },
    });
    await play.clock.advance(10_000);
    expect(play.toldOfEgresses()).toEqual(['egress_started STARTING', 'egress_ended ABORTED']);
    expect(play.media.size).toBe(0);
  });

  it('is seen in its room as a hidden recorder that is not counted', async () => {
    const egressId = await play.recording('talk');
    const participants = await play.answer(play.livekit.listParticipants('talk'));
    expect(participants).toContainEqual({ identity: egressId, kind: 'egress', publishes: false });
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({
      numParticipants: 1,
      numPublishers: 1,
      activeRecording: true,
    });
    expect(play.told).toContain('participant_joined recorder');
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(200);
    expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: false });
  });

  it('ends with its media when its room is deleted', async () => {
    const egressId = await play.recording('talk');
    play.engine.closeRoom('talk');
    await play.clock.advance(2_000);
    const seen = await play.answer(play.livekit.findEgress(egressId));
    expect(seen).toMatchObject({ status: 'COMPLETE', endCause: 'source-closed', file: { uploaded: true } });
    expect(play.told.indexOf('room_finished')).toBeLessThan(play.told.indexOf('egress_ended COMPLETE'));
  });

  it('is ABORTED when its room is deleted while STARTING', async () => {
    play.engine.openRoom('talk', { publishers: [] });
    const egressId = await play.started('talk');
    play.engine.closeRoom('talk');
    await play.clock.advance(10_000);
    const seen = await play.answer(play.livekit.findEgress(egressId));
    expect(seen).toMatchObject({ status: 'ABORTED', endCause: 'source-closed' });
  });

  it('ends as if its source had closed when its recorder is removed from the room', async () => {
    const egressId = await play.recording('talk');
    expect(await play.answer(play.livekit.removeRecorder('talk', egressId))).toBe(true);
    await play.clock.advance(2_000);
    expect(await play.answer(play.livekit.findEgress(egressId))).toMatchObject({
      status: 'COMPLETE',
      endCause: 'source-closed',
    });
    expect(await play.answer(play.livekit.removeRecorder('talk', egressId))).toBe(false);
  });

  it('does not touch updated_at while it runs', async () => {
    const egressId = await play.recording('talk');
    const before = play.engine.egress(egressId)?.updatedAt;
    await play.clock.advance(3_600_000);
    expect(play.engine.egress(egressId)?.updatedAt).toBe(before);
  });

  it('tells ended_at after its upload, and the end of its file before', async () => {
    const egressId = await play.recording('talk');
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    const info = play.engine.egress(egressId);
    const file = info?.fileResults[0];
    expect(Number((info?.endedAt ?? 0n) - (file?.endedAt ?? 0n)) / 1e6).toBeGreaterThanOrEqual(449);
    expect(file?.duration).toBe((file?.endedAt ?? 0n) - (file?.startedAt ?? 0n));
  });

  it('never shows the secrets of its request', async () => {
    const output = {
      kind: 's3' as const,
      filepath: 'recordings/talk.mp4',
      bucket: 'b',
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:9000',
      accessKeyId: 'rig',
      secretAccessKey: 'rigrigrig',
      forcePathStyle: true,
      deployment: 'dep-1',
    };
    const egressId = await play.recording('talk', { output });
    const shown = play.engine.egress(egressId)?.toJsonString() ?? '';
    const told = play.delivered.map(({ body }) => body.toString()).join('');
    expect(shown).toContain('"secret":"{secret}"');
    expect(`${shown}${told}`).not.toContain('rigrigrig');
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect(play.engine.egress(egressId)?.fileResults[0]?.location).toBe(
      'https://127.0.0.1:9000/b/recordings/talk.mp4',
    );
    expect(play.media.has('recordings/talk.mp4')).toBe(true);
  });

  it('shares its room with any other egress that is started there', async () => {
    const first = await play.recording('talk');
    const second = await play.recording('talk', { output: { kind: 'file', filepath: '/recordings/2.mp4' } });
    expect([play.status(first), play.status(second)]).toEqual(['ACTIVE', 'ACTIVE']);
  });

  it('is forgotten a day after its end, unless it never ended', async () => {
    const ended = await play.recording('talk');
    await play.answer(play.livekit.stopEgress(ended));
    const zombie = await play.recording('walk');
    play.engine.killWorker();
    await play.clock.advance(25 * 3_600_000);
    expect([play.status(ended), play.status(zombie)]).toEqual(['GONE', 'ACTIVE']);
  });
});
