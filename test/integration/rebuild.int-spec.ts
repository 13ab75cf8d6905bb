import { restoredRecording, REV_LEAP, VERSION_LEAP } from '../../src/recordings/domain/restored-recording.js';
import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { foldHistory } from '../../src/recordings/store/history.js';
import { restoreStep } from '../../src/recordings/store/restore-step.js';
import type { Return } from '../../src/recordings/store/recording-restorer.port.js';
import { metadataKey } from '../../src/storage/object-keys.js';
import { keys } from '../../src/redis/keys.js';
import { newRoom } from '../../src/rooms/domain/room.js';
import { aRecording, aRecordingId, aRoomId, anEgress, T0 } from '../support/builders.js';
import { KeptScene } from '../support/kept-scene.js';
import '../support/quiet-logs.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

const going = new AbortController().signal;

describe('a rebuild from the bucket', () => {
  let server: RedisServer;
  let scene: KeptScene;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    scene = new KeptScene(server.url);
    await scene.connections.command.flushall();
    await scene.mark.set();
  });
  afterEach(() => scene.end());

  const redis = () => scene.connections.command;
  /** Every key of ours with all it holds, but for what is new in every rebuild. */
  const dump = async (): Promise<Record<string, unknown>> => {
    const held: Record<string, unknown> = {};
    for (const key of (await redis().keys('*')).sort()) {
      if (key === keys.epoch() || key.includes(':lease') || key === keys.roomChanges()) continue;
      const type = await redis().type(key);
      if (type === 'zset') held[key] = await redis().zrange(key, 0, -1, 'WITHSCORES');
      else if (type === 'hash') held[key] = Object.entries(await redis().hgetall(key)).sort();
      else if (type === 'string') held[key] = await redis().get(key);
    }
    return held;
  };
  const ended = (fields: Partial<StoredRecording> = {}): StoredRecording => {
    const made = aRecording({ status: 'COMPLETE', endedAt: T0 + 1_000, hasMedia: true, ...fields });
    return { ...made, upkeep: { ...made.upkeep, holdsSlot: false, bucketChecked: true } };
  };
  const idOf = (recording: StoredRecording): string => recording.id;
  const lose = (): Promise<unknown> => redis().flushall();

  it('gives back each row with its indexes, history, slot and unsettled state, as the commits had made them', async () => {
    await scene.rooms.create(newRoom(aRoomId(), { name: 'One' }, T0));
    await scene.roomArchive.write(newRoom(aRoomId(), { name: 'One' }, T0));
    for (let i = 0; i < 250; i += 1)
      await scene.keep(ended({ labels: { n: i % 3 }, durationMs: i % 4 === 0 ? null : i, sizeBytes: i }));
    const running = aRecording();
    await scene.keep(running);
    const before = await dump();
    await lose();
    expect(await scene.rebuild.execute(going)).toMatchObject({ rooms: 1, recordings: 251, faults: 0 });
    const after = await dump();
    const indexesOf = (held: Record<string, unknown>): unknown =>
      Object.entries(held).filter(([key]) => key.startsWith('{tl}:index:') || key === keys.unsettled());
    expect(indexesOf(after)).toEqual(indexesOf(before));
    expect(await scene.store.slotHolder(aRoomId())).toBe(running.id);
    expect((await scene.rooms.get(aRoomId()))?.name).toBe('One');
    const row = (await scene.store.get(running.id))!;
    const { rev: _rev, upkeep: _upkeep, ...visible } = row;
    const folded = foldHistory(await scene.store.history(running.id));
    expect(folded.at(-1)?.recording).toEqual(visible);
    expect(folded.map(({ entry }) => entry.cause)).toEqual(['test', 'rebuild']);
    const filed = await scene.store.outbox(0, 100);
    expect(filed.map(({ effect }) => effect.do).sort()).toEqual(['reconcile', 'write-metadata']);
  });

  it('leaps ahead each time, so that no version and no revision is ever given twice', async () => {
    const recording = ended();
    await scene.keep(recording);
    const given = new Set([recording.version]);
    // The bucket's copy stays the first one: each time what was given in between is lost before it is written.
    for (let i = 1; i <= 3; i += 1) {
      await lose();
      await scene.rebuild.execute(going);
      const back = (await scene.store.get(recording.id))!;
      expect(back).toMatchObject({ version: 1 + i * VERSION_LEAP, rev: 1 + i * REV_LEAP });
      const told = await scene.writer.apply(
        recording.id,
        { kind: 'continued', by: aRecordingId(), at: T0 },
        'test',
      );
      for (const version of [back.version, told!.recording.version]) {
        expect(given.has(version)).toBe(false);
        given.add(version);
      }
    }
  });

  it('lets nobody who read a row before it was lost write over the one that came back', async () => {
    const recording = aRecording();
    await scene.keep(recording);
    const before = (await scene.store.get(recording.id))!;
    await lose();
    await scene.rebuild.execute(going);
    const next = { ...before, version: 2, rev: 2, filename: 'late' };
    const result = await scene.store.commit({
      ...{ token: 'late', before, next, event: null, cause: 'late', effects: [], at: T0 },
    });
    expect(result.kind).toBe('moved-on');
  });

  it('gives the room to the youngest that holds it, in whatever order they come back', async () => {
    const [old, young] = [aRecordingId(), aRecordingId()].map((id) => {
      const made = aRecording({ id, status: 'ABORTED', endedAt: T0 });
      return restoreStep({ format: 1, recording: made, history: [] }, termsOf('t'));
    }) as [Return, Return];
    for (const order of [
      [old, young],
      [young, old],
    ]) {
      await redis().flushall();
      const run = (await scene.ledger.begin())!;
      for (const one of order) await scene.restorer.restore([one], run.token);
      expect(await redis().hget(keys.slot(aRoomId()), 'recording')).toBe(young.recording.id);
    }
  });

  it('gives it to the youngest also where one is found again in a Redis that was set back and does not know it', async () => {
    const [old, young] = [aRecordingId(), aRecordingId()].map((id) => aRecording({ id }));
    await scene.keep(old!);
    const again = (recording: StoredRecording): Promise<unknown> =>
      scene.restorer.restore([restoreStep({ format: 1, recording, history: [] }, termsOf('t'))], null);
    await again(young!);
    expect(await redis().hget(keys.slot(aRoomId()), 'recording')).toBe(young!.id);
    await redis().del(keys.recording(old!.id));
    await again(old!);
    expect(await redis().hget(keys.slot(aRoomId()), 'recording')).toBe(young!.id);
  });

  it('restores the same recording once, however often and by however many at once', async () => {
    await redis().flushall();
    const run = (await scene.ledger.begin())!;
    const recording = ended({ labels: { a: 1 } });
    const one = restoreStep({ format: 1, recording, history: [] }, termsOf(run.epoch));
    const all = await Promise.all(Array.from({ length: 20 }, () => scene.restorer.restore([one], run.token)));
    expect(all.flat().filter((outcome) => outcome === 'restored')).toHaveLength(1);
    const held = await dump();
    await scene.restorer.restore([one], run.token);
    expect(await dump()).toEqual(held);
  });

  it('replaces a row that is older with its indexes, and keeps one that is newer', async () => {
    const recording = ended({ labels: { a: 1 } });
    await scene.keep(recording);
    const newer = { ...recording, rev: 5, version: 2, labels: { a: 2 } };
    const terms = { ...termsOf('e'), number: 0 };
    const back = restoreStep({ format: 1, recording: newer, history: [] }, terms);
    expect(await scene.restorer.restore([back], null)).toEqual(['restored']);
    expect((await redis().keys('{tl}:index:*:label:*')).length).toBe(2);
    const older = restoreStep({ format: 1, recording: { ...newer, rev: 4 }, history: [] }, terms);
    expect(await scene.restorer.restore([older], null)).toEqual(['kept']);
  });

  it('is never done by one who lost it: not a row, not a room, not the mark', async () => {
    await redis().flushall();
    const slow = (await scene.ledger.begin())!;
    const fast = (await scene.ledger.begin())!;
    const one = restoreStep({ format: 1, recording: ended(), history: [] }, termsOf(slow.epoch));
    const superseded = { name: 'RebuildSuperseded' };
    const room = newRoom(aRoomId(), { name: 'One' }, T0);
    const all = (): Promise<unknown>[] => [
      scene.restorer.restore([one], slow.token),
      scene.rooms.restore(room, slow.token),
      scene.ledger.clear(slow).then(() => scene.ledger.note(slow, { phase: 'rooms' })),
      scene.ledger.finish(slow),
    ];
    for (const doing of all()) await expect(doing).rejects.toMatchObject(superseded);
    await scene.ledger.finish(fast);
    for (const doing of all()) await expect(doing).rejects.toMatchObject(superseded);
    expect(await redis().exists(keys.recording(one.recording.id), keys.room(room.id))).toBe(0);
  });

  it('goes on where another was killed, and brings back everything once', async () => {
    const kept = Array.from({ length: 230 }, () => ended());
    for (const recording of kept) await scene.keep(recording);
    await lose();
    const killed = new AbortController();
    let reads = 0;
    const { get } = scene.storage;
    scene.storage.get = (key) => {
      reads += 1;
      if (reads === 190) killed.abort(new Error('killed'));
      return get.call(scene.storage, key);
    };
    await expect(scene.rebuild.execute(killed.signal)).rejects.toThrow('killed');
    const state = await scene.ledger.state();
    expect(state).toMatchObject({ whole: false, run: { phase: 'recordings', recordings: 100 } });
    await expect(scene.store.get(kept[0]!.id)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    expect(await scene.rebuild.execute(going)).toMatchObject({ recordings: 230 });
    expect(await scene.store.countInRoom(aRoomId())).toBe(230);
    const all = await Promise.all(kept.map((recording) => scene.store.get(recording.id)));
    expect(all.map((row) => row!.id)).toEqual(kept.map(idOf));
  });

  it('is made by one of two that race for it', async () => {
    for (let i = 0; i < 120; i += 1) await scene.keep(ended());
    await lose();
    const other = new KeptScene(server.url);
    Object.assign(other.storage, { objects: Reflect.get(scene.storage, 'objects') });
    const outcomes = await Promise.all([scene.turn.take(going), other.turn.take(going)]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['rebuilt', 'waiting']);
    expect(await scene.store.countInRoom(aRoomId())).toBe(120);
    await other.end();
  });

  it('waits for a storage that is away, says so, and answers nothing meanwhile', async () => {
    await scene.keep(ended());
    await lose();
    scene.storage.away = true;
    await expect(scene.turn.take(going)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await scene.ledger.state()).toMatchObject({
      whole: false,
      run: { problem: 'the storage does not answer; try again in a moment' },
    });
    await expect(scene.store.countInRoom(aRoomId())).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    scene.storage.away = false;
    expect(await scene.turn.take(going)).toMatchObject({ kind: 'rebuilt', report: { recordings: 1 } });
    expect(await scene.turn.take(going)).toEqual({ kind: 'whole' });
  });

  it('begins anew when what it has done so far is lost as well', async () => {
    for (let i = 0; i < 130; i += 1) await scene.keep(ended());
    await lose();
    let lost = false;
    const { get } = scene.storage;
    scene.storage.get = async (key) => {
      if (!lost && key.includes('.metadata')) {
        lost = true;
        await redis().flushall();
      }
      return get.call(scene.storage, key);
    };
    await expect(scene.rebuild.execute(going)).rejects.toMatchObject({ name: 'RebuildSuperseded' });
    expect(await scene.rebuild.execute(going)).toMatchObject({ recordings: 130 });
    expect(await scene.store.countInRoom(aRoomId())).toBe(130);
  });

  it('forgets what a Redis without its mark still holds: the bucket decides', async () => {
    const kept = ended();
    const removed = ended();
    await scene.keep(kept);
    await scene.keep(removed);
    await scene.storage.deleteMany([metadataKey(removed)]);
    await redis().set('somebody:elses', 'key');
    await redis().set(keys.idempotency('admin', 'k'), JSON.stringify({ input: 'i', recordingId: kept.id }));
    await scene.ledger.discard();
    await expect(scene.store.get(kept.id)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await scene.turn.take(going);
    expect(await scene.store.get(removed.id)).toBeNull();
    expect(await scene.store.countInRoom(aRoomId())).toBe(1);
    expect(await redis().get('somebody:elses')).toBe('key');
    expect(await scene.store.keyUse('admin', 'k')).toEqual({ input: 'i', recordingId: kept.id });
  });

  it('leaves out what can not be understood, counts it, and is not stopped by it', async () => {
    await scene.keep(ended());
    const put = (key: string, text: string) => scene.storage.put(key, Buffer.from(text), 'application/json');
    await put('recordings/.metadata/room-1/broken.json', '{');
    await put(`recordings/.metadata/room-1/${aRecordingId()}.json`, '{"format":2}');
    await put('rooms/broken.json', 'x');
    await lose();
    expect(await scene.rebuild.execute(going)).toMatchObject({ recordings: 1, faults: 3 });
  });

  it('takes up again what was under way, as each state needs it', async () => {
    const egresses = { EG_1: 'live' as const };
    const attempt = (status: StoredRecording['status'], room: string): StoredRecording => {
      const made = aRecording({ roomId: aRoomId(room), status, egressId: 'EG_1' });
      return { ...made, upkeep: { ...made.upkeep, egresses, startAnswer: 'accepted' } };
    };
    const active = { ...attempt('ACTIVE', 'a'), startedAt: T0 + 1_000 };
    const ending = attempt('ENDING', 'b');
    const failed = { ...attempt('FAILED', 'c'), endedAt: T0 + 2_000 };
    for (const one of [active, ending, failed]) await scene.keep(one);
    await lose();
    await scene.clock.advance(60_000);
    await scene.rebuild.execute(going);
    const filed = await scene.store.outbox(0, 100);
    const of = (one: StoredRecording): string[] =>
      filed.filter(({ recording }) => recording.id === one.id).map(({ effect }) => effect.do);
    expect(of(active).sort()).toEqual(['reconcile', 'write-metadata']);
    expect(of(ending).sort()).toEqual(['reconcile', 'stop-egress', 'write-metadata']);
    expect(of(failed).sort()).toEqual(['reconcile', 'stop-egress', 'write-metadata']);
  });

  it('adopts what LiveKit runs and the bucket does not know, in a room that is known; nothing else', async () => {
    await scene.roomArchive.write(newRoom(aRoomId(), { name: 'One' }, T0));
    const unknown = aRecording({ audioOnly: false });
    const over = aRecording({ roomId: aRoomId() });
    const left = aRecording({ roomId: aRoomId() });
    const elsewhere = aRecording({ roomId: aRoomId('unknown-room') });
    const deadForEver = aRecording({ roomId: aRoomId() });
    await scene.putMedia(left);
    scene.livekit.egresses = [
      anEgress(unknown, { status: 'ACTIVE', egressId: 'EG_1' }),
      anEgress(over, { status: 'COMPLETE', egressId: 'EG_2' }),
      anEgress(left, { status: 'COMPLETE', egressId: 'EG_3' }),
      anEgress(elsewhere, { status: 'ACTIVE', egressId: 'EG_4' }),
      anEgress(deadForEver, { status: 'ACTIVE', egressId: 'EG_5' }),
    ];
    scene.livekit.answering = new Set(['EG_1', 'EG_4']);
    await lose();
    expect(await scene.rebuild.execute(going)).toMatchObject({ rooms: 1, recordings: 2 });
    expect(await scene.store.get(unknown.id)).toMatchObject({
      status: 'STARTING',
      egressId: 'EG_1',
      roomName: 'One',
      version: 1 + VERSION_LEAP,
    });
    expect(await scene.store.get(left.id)).toMatchObject({ status: 'STARTING', egressId: 'EG_3' });
    expect(await scene.store.get(over.id)).toBeNull();
    expect(await scene.store.get(elsewhere.id)).toBeNull();
    expect(await scene.store.get(deadForEver.id)).toBeNull();
  });

  it('prefers a record to what LiveKit lists', async () => {
    await scene.roomArchive.write(newRoom(aRoomId(), { name: 'One' }, T0));
    const recording = aRecording({ labels: { kept: true } });
    await scene.keep(recording);
    scene.livekit.egresses = [anEgress(recording, { status: 'ACTIVE' })];
    await lose();
    expect(await scene.rebuild.execute(going)).toMatchObject({ recordings: 1 });
    expect((await scene.store.get(recording.id))!.labels).toEqual({ kept: true });
  });

  it('brings back the idempotency key of a start for what is left of its day', async () => {
    const recording = ended();
    await scene.writer.create(recording, [], 'test', { caller: 'admin', key: 'k', input: 'i' });
    await scene.archive.write(recording.id);
    await lose();
    await scene.rebuild.execute(going);
    expect(await scene.store.keyUse('admin', 'k')).toEqual({ input: 'i', recordingId: recording.id });
    await lose();
    await scene.clock.advance(90_000_000);
    await scene.rebuild.execute(going);
    expect(await scene.store.keyUse('admin', 'k')).toBeNull();
  });

  it('is the same row from the same copy', () => {
    const copy = aRecording();
    expect(restoredRecording(copy, 3, T0)).toEqual(restoredRecording(copy, 3, T0));
    expect(restoredRecording(restoredRecording(copy, 2, T0), 3, T0).version).toBe(
      restoredRecording(copy, 3, T0).version,
    );
  });
});

function termsOf(epoch: string): Parameters<typeof restoreStep>[1] {
  return { number: 1, epoch, at: T0, cause: 'rebuild' };
}
