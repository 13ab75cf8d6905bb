import { aStart, SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import { FaultBook, type FaultName } from './faults.js';

describe('faults by name and room', () => {
  it('strike as often as they are meant to, a room of its own before every room', () => {
    const book = new FaultBook();
    book.set({ name: 'list-fails', room: '*' });
    book.set({ name: 'list-fails', room: 'talk', times: 2, delayMs: 7 });
    expect(book.strike('list-fails', 'talk')?.delayMs).toBe(7);
    expect(book.list()).toContainEqual({ name: 'list-fails', room: 'talk', times: 1, delayMs: 7 });
    expect(book.strike('list-fails', 'talk')?.delayMs).toBe(7);
    expect(book.strike('list-fails', 'talk')?.room).toBe('*');
    expect(book.strike('list-fails', null)?.room).toBe('*');
    expect(book.strike('rooms-fail', 'talk')).toBeNull();
  });

  it('are cleared by name, by room or all at once', () => {
    const book = new FaultBook();
    const left = (): string[] => book.list().map(({ name, room }) => `${name} ${room}`);
    book.set({ name: 'list-fails', room: 'talk' });
    book.set({ name: 'list-fails', room: 'walk' });
    book.set({ name: 'silent', room: 'walk' });
    book.clear('list-fails', 'talk');
    expect(left()).toEqual(['list-fails walk', 'silent walk']);
    book.clear('list-fails');
    expect(left()).toEqual(['silent walk']);
    book.clear();
    expect(left()).toEqual([]);
  });

  describe('of a start', () => {
    let play: SimulatedLiveKit;
    beforeEach(() => {
      play = new SimulatedLiveKit();
      play.engine.openRoom('talk');
    });
    const start = (name: FaultName, delayMs?: number) => {
      play.engine.setFault({ name, room: 'talk', ...(delayMs === undefined ? {} : { delayMs }) });
      return play.timed(play.livekit.startEgress(aStart('talk')));
    };
    const listed = (): string[] => play.engine.egresses('talk').map(({ egressId }) => play.status(egressId));

    it.each([
      ['start-refused-400', { kind: 'refused', status: 400 }],
      ['start-no-capacity', { kind: 'unknown', status: 503 }],
      ['start-error', { kind: 'unknown', status: 500 }],
    ] as const)('%s: nothing is started', async (name, outcome) => {
      expect((await start(name)).value).toMatchObject(outcome);
      await play.clock.advance(60_000);
      expect(listed()).toEqual([]);
    });

    it('start-proxy-504: a proxy gives it up, and behind it an egress comes to be', async () => {
      play.engine.setFault({ name: 'start-slow', room: 'talk', delayMs: 20_000 });
      const { value, tookMs } = await start('start-proxy-504');
      expect(value).toMatchObject({ kind: 'unknown', answered: false, status: 504 });
      expect(tookMs).toBeGreaterThan(15_000);
      expect(listed()).toEqual([]);
      await play.clock.advance(20_000);
      expect(listed()).toEqual(['ACTIVE']);
    });

    it.each([
      ['start-answer-lost', { kind: 'unknown', answered: false }],
      ['start-answer-error', { kind: 'unknown', status: 500 }],
      ['start-answer-conflict', { kind: 'unknown', status: 409 }],
    ] as const)('%s: an egress records that nobody has named', async (name, outcome) => {
      expect((await start(name)).value).toMatchObject(outcome);
      await play.clock.advance(10_000);
      expect(listed()).toEqual(['ACTIVE']);
    });

    it('start-slow: the egress exists after 15.7 s, and so does its answer', async () => {
      const { value, tookMs } = await start('start-slow');
      expect(value).toMatchObject({ kind: 'accepted' });
      expect(tookMs).toBeGreaterThan(15_700);
    });

    it('start-slow beyond what its caller told that it waits: nothing is begun any more', async () => {
      play.engine.setFault({ name: 'start-slow', room: 'talk', delayMs: 30_000 });
      const { value } = await play.timed(play.livekit.startEgress({ ...aStart('talk'), withinMs: 20_000 }));
      expect(value).toMatchObject({ kind: 'unknown' });
      await play.clock.advance(60_000);
      expect(listed()).toEqual([]);
    });

    it('start-answer-late: the egress records long before its start is answered', async () => {
      const pending = start('start-answer-late', 30_000);
      expect(listed()).toEqual([]);
      const { tookMs } = await pending;
      expect(tookMs).toBeGreaterThan(30_000);
      expect(play.toldOfEgresses()).toEqual(['egress_started STARTING', 'egress_updated ACTIVE']);
    });

    it('start-answer-late beyond the patience of the asker: no answer, and it records', async () => {
      const { value } = await start('start-answer-late', 60_000);
      expect(value).toMatchObject({ kind: 'unknown', answered: false, status: null });
      expect(listed()).toEqual(['ACTIVE']);
    });

    it('handler-failed: 500, and a failed egress that was told begun and ended', async () => {
      expect((await start('handler-failed')).value).toMatchObject({ kind: 'unknown', status: 500 });
      await play.clock.advance(1_000);
      expect(listed()).toEqual(['FAILED']);
      expect(play.toldOfEgresses()).toEqual(['egress_started STARTING', 'egress_ended FAILED']);
      expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: false });
    });

    it('start-never-active: STARTING with its recorder in the room, until it is stopped', async () => {
      await start('start-never-active');
      await play.clock.advance(3_600_000);
      expect(listed()).toEqual(['STARTING']);
      expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({ activeRecording: true });
    });

    it('ends-before-active: ABORTED on its own', async () => {
      await start('ends-before-active');
      await play.clock.advance(10_000);
      expect(listed()).toEqual(['ABORTED']);
    });
  });

  describe('of a recording', () => {
    let play: SimulatedLiveKit;
    beforeEach(() => {
      play = new SimulatedLiveKit();
    });
    const seen = (egressId: string) => play.answer(play.livekit.findEgress(egressId));

    it.each([
      ['child-crash', { status: 'FAILED', errorCode: 500, file: { uploaded: false } }],
      ['pipeline-failed', { status: 'FAILED', errorCode: 500, file: { uploaded: false } }],
      ['cpu-kill-with-file', { status: 'FAILED', errorCode: 403, file: { uploaded: true } }],
      ['limit-reached', { status: 'LIMIT_REACHED', errorCode: 413, file: { uploaded: true } }],
    ] as const)('%s strikes a while after ACTIVE, also one that runs already', async (name, outcome) => {
      const running = await play.recording('talk');
      play.engine.setFault({ name, room: 'talk' });
      expect(play.status(running)).toBe('ACTIVE');
      await play.clock.advance(6_000);
      expect(await seen(running)).toMatchObject(outcome);
      expect(play.media.size).toBe(outcome.file.uploaded ? 1 : 0);
      const next = await play.started('talk');
      await play.clock.advance(15_000);
      expect(await seen(next)).toMatchObject(outcome);
    });

    it.each([
      ['cpu-stopped', { status: 'COMPLETE', endCause: 'cpu-exhausted', file: { uploaded: true } }],
      ['cpu-exhausted', { status: 'FAILED', errorCode: 403, endCause: 'cpu-exhausted' }],
      ['out-of-memory', { status: 'FAILED', errorCode: 403, endCause: 'out-of-memory' }],
      ['disk-full', { status: 'FAILED', errorCode: 500, endCause: 'disk-full', file: { uploaded: false } }],
      ['process-killed', { status: 'FAILED', errorCode: 403, endCause: 'process-killed' }],
      ['source-closed', { status: 'COMPLETE', endCause: 'source-closed', file: { uploaded: true } }],
    ] as const)('its worker ends it, %s, and its room goes on', async (how, outcome) => {
      const egressId = await play.recording('talk');
      play.engine.endEgress(egressId, how);
      await play.clock.advance(6_000);
      expect(await seen(egressId)).toMatchObject(outcome);
      expect(await play.answer(play.livekit.findRoom('talk'))).toMatchObject({
        numPublishers: 1,
        activeRecording: false,
      });
    });

    it('pipeline-frozen: FAILED half a minute after it was stopped, without a file', async () => {
      play.engine.setFault({ name: 'pipeline-frozen', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(29_000);
      expect(play.status(egressId)).toBe('ENDING');
      await play.clock.advance(2_000);
      expect(await seen(egressId)).toMatchObject({ status: 'FAILED', endCause: 'stop-api' });
      expect(play.media.size).toBe(0);
    });

    it('backup-used: COMPLETE, and nothing where it should be', async () => {
      play.engine.setFault({ name: 'backup-used', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      expect(await seen(egressId)).toMatchObject({
        status: 'COMPLETE',
        file: { uploaded: false },
        mediaProblem: expect.stringContaining('backup storage'),
      });
      expect(play.media.size).toBe(0);
    });

    it('empty-file: COMPLETE with nothing in it', async () => {
      play.engine.setFault({ name: 'empty-file', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      expect(await seen(egressId)).toMatchObject({ status: 'COMPLETE', file: { sizeBytes: 0 } });
      expect([...play.media.values()].map(({ length }) => length)).toEqual([0]);
    });

    it('limit-reached: no ENDING is told', async () => {
      play.engine.setFault({ name: 'limit-reached', room: 'talk', delayMs: 20_000 });
      await play.recording('talk');
      await play.clock.advance(30_000);
      expect(play.toldOfEgresses()).not.toContain('egress_updated ENDING');
      expect(play.toldOfEgresses().at(-1)).toBe('egress_ended LIMIT_REACHED');
    });

    it('upload-refused: all is well until the end, which is FAILED 400 without a file', async () => {
      play.engine.setFault({ name: 'upload-refused', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      expect(await seen(egressId)).toMatchObject({
        status: 'FAILED',
        errorCode: 400,
        error: expect.stringContaining(': S3 upload failed: '),
        endCause: 'stop-api',
        file: { uploaded: false },
      });
      expect(play.media.size).toBe(0);
    });

    it('upload-slow: ENDING for half a minute', async () => {
      play.engine.setFault({ name: 'upload-slow', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(29_000);
      expect(play.status(egressId)).toBe('ENDING');
      await play.clock.advance(3_000);
      expect(play.status(egressId)).toBe('COMPLETE');
    });

    it('complete-then-failed: a second last word, without what the first said; the file is there', async () => {
      play.engine.setFault({ name: 'complete-then-failed', room: 'talk' });
      const egressId = await play.recording('talk');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      expect(play.toldOfEgresses().slice(-2)).toEqual(['egress_ended COMPLETE', 'egress_ended FAILED']);
      expect(await seen(egressId)).toMatchObject({
        status: 'FAILED',
        endCause: 'recorder-crashed',
        file: { uploaded: false, startedAtMs: null },
      });
      expect(play.media.size).toBe(1);
    });

    it('updates-coalesced: STARTING in the list and in the webhooks until the end', async () => {
      play.engine.openRoom('talk');
      play.engine.setFault({ name: 'updates-coalesced', room: 'talk' });
      const egressId = await play.started('talk');
      await play.clock.advance(30_000);
      expect(play.status(egressId)).toBe('STARTING');
      await play.answer(play.livekit.stopEgress(egressId));
      await play.clock.advance(5_000);
      expect(play.toldOfEgresses()).toEqual(['egress_started STARTING', 'egress_ended COMPLETE']);
    });
  });

  describe('of answers', () => {
    let play: SimulatedLiveKit;
    let egressId: string;
    beforeEach(async () => {
      play = new SimulatedLiveKit();
      egressId = await play.recording('talk');
    });
    const unavailable = { code: 'LIVEKIT_UNAVAILABLE' };
    const refused = (promise: Promise<unknown>) => play.answer(promise.catch((error: unknown) => error));

    it('proxy-502: nothing can be asked', async () => {
      play.engine.setFault({ name: 'proxy-502', room: '*' });
      for (const question of [
        play.livekit.findEgress(egressId),
        play.livekit.stopEgress(egressId),
        play.livekit.askWorker(egressId),
        play.livekit.listRooms(),
      ])
        expect(await refused(question)).toMatchObject(unavailable);
    });

    it('list-fails: the list can not be asked, one room or one egress alone', async () => {
      await play.recording('walk');
      play.engine.setFault({ name: 'list-fails', room: 'talk' });
      expect(await refused(play.livekit.findEgress(egressId))).toMatchObject(unavailable);
      expect(await refused(play.livekit.listEgresses({ roomName: 'talk' }))).toMatchObject(unavailable);
      expect(await play.answer(play.livekit.listEgresses({ roomName: 'walk' }))).toHaveLength(1);
    });

    it('list-empty: nothing by room, everything by id and in the whole list', async () => {
      play.engine.setFault({ name: 'list-empty', room: 'talk' });
      expect(await play.answer(play.livekit.listEgresses({ roomName: 'talk' }))).toEqual([]);
      expect(await play.answer(play.livekit.findEgress(egressId))).not.toBeNull();
      expect(await play.answer(play.livekit.listEgresses())).toHaveLength(1);
    });

    it('rooms-fail: rooms and participants can not be asked', async () => {
      play.engine.setFault({ name: 'rooms-fail', room: '*' });
      expect(await refused(play.livekit.findRoom('talk'))).toMatchObject(unavailable);
      expect(await refused(play.livekit.listParticipants('talk'))).toMatchObject(unavailable);
    });

    it('stop-408: nobody answers, and it goes on recording', async () => {
      play.engine.setFault({ name: 'stop-408', room: 'talk', times: 1 });
      expect(await play.answer(play.livekit.stopEgress(egressId))).toEqual({ kind: 'no-answer-from-worker' });
      expect(play.status(egressId)).toBe('ACTIVE');
      expect(await play.answer(play.livekit.stopEgress(egressId))).toMatchObject({ kind: 'stopping' });
    });

    it('stop-no-answer: no answer comes, and it ends', async () => {
      play.engine.setFault({ name: 'stop-no-answer', room: 'talk' });
      expect(await refused(play.livekit.stopEgress(egressId))).toMatchObject(unavailable);
      expect(play.status(egressId)).toBe('COMPLETE');
    });

    it.each(['unreachable', 'silent', 'bad-credentials'] as const)(
      '%s: nothing can be asked, and a start has an unknown outcome or is refused',
      async (name) => {
        play.engine.setFault({ name, room: '*' });
        expect(await refused(play.livekit.checkAccess())).toMatchObject(unavailable);
        const outcome = await play.answer(play.livekit.startEgress(aStart('talk')));
        expect(outcome.kind).toBe(name === 'bad-credentials' ? 'refused' : 'unknown');
        play.engine.clearFaults();
        await play.answer(play.livekit.checkAccess());
        expect(play.engine.egresses()).toHaveLength(1);
      },
    );
  });
});
