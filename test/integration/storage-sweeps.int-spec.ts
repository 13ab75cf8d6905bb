import type { StoredRecording } from '../../src/recordings/domain/recording.js';
import { keys } from '../../src/redis/keys.js';
import { newRoom, type RoomRecordingSettings } from '../../src/rooms/domain/room.js';
import { mediaKey, metadataKey, roomMetadataKey, segmentKeys } from '../../src/storage/object-keys.js';
import { ON_ITS_WAY_MS } from '../../src/sweeps/look-at-objects.js';
import type { SweepRun } from '../../src/sweeps/sweep.js';
import { aRecording, aRecordingId, aRoomId, anEgress, T0 } from '../support/builders.js';
import { aRoomName } from '../support/room-names.js';
import { KeptScene } from '../support/kept-scene.js';
import '../support/quiet-logs.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';

const LATER_MS = 10 * 60_000;
const DAY_MS = 86_400_000;

describe('sweeps over what is kept', () => {
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
  const ended = (fields: Partial<StoredRecording> = {}): StoredRecording => {
    const at = scene.clock.now();
    const made = aRecording({ status: 'COMPLETE', requestedAt: at, updatedAt: at, endedAt: at, ...fields });
    return { ...made, upkeep: { ...made.upkeep, holdsSlot: false, bucketChecked: true } };
  };
  const recordOf = (recording: StoredRecording): string => metadataKey(recording);
  const isThere = async (key: string): Promise<boolean> => (await scene.storage.head(key)) !== null;
  const told = ({ findings }: SweepRun): string[] =>
    findings.map(({ kind, subject }) => `${kind} ${subject}`);

  /** Told at first sight and in a dry run, with nothing changed; acted on at the second, and then there is nothing to tell. */
  const inTwoSights = async (
    sweep: keyof KeptScene['sweeps'],
    finding: string,
    isAsItWas: () => Promise<boolean>,
  ): Promise<void> => {
    const pass = (dryRun = false): Promise<SweepRun> => scene.pass(scene.sweeps[sweep], { dryRun });
    const dry = await pass(true);
    expect(told(dry)).toEqual([finding]);
    expect(dry).toMatchObject({ acted: 0, failed: 0, dryRun: true });
    const first = await pass();
    expect(told(first)).toEqual([finding]);
    expect(first.findings[0]!.action).toContain('if it is seen again');
    expect(first.acted).toBe(0);
    expect(await isAsItWas()).toBe(true);
    const dryAgain = await pass(true);
    expect(told(dryAgain)).toEqual([finding]);
    expect(dryAgain.findings[0]!.action).toContain('would');
    expect(await isAsItWas()).toBe(true);
    const second = await pass();
    expect(told(second)).toEqual([finding]);
    expect(second).toMatchObject({ acted: 1, failed: 0 });
    expect(await isAsItWas()).toBe(false);
    expect(told(await pass())).toEqual([]);
  };

  describe('STORAGE_RECONCILIATION', () => {
    it('has nothing to tell of what is whole, in progress, or on its way', async () => {
      await scene.rooms.create(newRoom(aRoomId(), { name: 'One' }, T0));
      await scene.keep(ended({ hasMedia: true }));
      await scene.keep(aRecording());
      await scene.clock.advance(LATER_MS);
      const run = await scene.pass(scene.sweeps.storage);
      expect(run).toMatchObject({ findings: [], failed: 0 });
      expect(run.examined).toBeGreaterThan(0);
      await scene.storage.put(
        mediaKey({ id: aRecordingId(), roomId: aRoomId(), audioOnly: false, crashProof: false }),
        Buffer.from('new'),
        'video/mp4',
      );
      const young = ended();
      await scene.writer.create(young, [], 'test');
      expect((await scene.pass(scene.sweeps.storage)).findings).toEqual([]);
    });

    it('restores a recording that its record tells of and nobody knows, with its media and an event', async () => {
      const recording = ended({ hasMedia: true, labels: { a: 1 } });
      await scene.keep(recording);
      await redis().flushall();
      await scene.mark.set();
      await scene.clock.advance(LATER_MS);
      const before = await scene.events.end();
      await inTwoSights('storage', `RECORD_WITHOUT_ROW ${recording.id}`, async () => {
        return (await scene.store.get(recording.id)) === null;
      });
      const back = (await scene.store.get(recording.id))!;
      expect(back).toMatchObject({ status: 'COMPLETE', hasMedia: true, labels: { a: 1 } });
      expect(back.version).toBeGreaterThan(recording.version);
      const following = scene.events.follow(before, new AbortController().signal)[Symbol.asyncIterator]();
      const { value: event } = await following.next();
      expect(event).toMatchObject({ type: 'UPDATED', recording: { id: back.id, version: back.version } });
      expect((await scene.store.history(back.id)).at(-1)!.position).toEqual(event.position);
    });

    it('writes a record again that is gone', async () => {
      const recording = ended();
      await scene.keep(recording);
      await scene.storage.deleteMany([recordOf(recording)]);
      await scene.clock.advance(LATER_MS);
      await inTwoSights('storage', `METADATA_MISSING ${recording.id}`, async () => {
        return !(await isThere(recordOf(recording)));
      });
    });

    it('writes a record again that is older than its row, and not one that a rebuild brought back', async () => {
      const recording = ended();
      await scene.keep(recording);
      await scene.clock.advance(1_000);
      const by = aRecordingId();
      await scene.writer.apply(recording.id, { kind: 'continued', by, at: scene.clock.now() }, 'test');
      await scene.clock.advance(LATER_MS);
      const isOld = async (): Promise<boolean> =>
        !(await scene.storage.get(recordOf(recording)))!.toString().includes(by);
      await inTwoSights('storage', `METADATA_OLDER ${recording.id}`, isOld);
      await redis().flushall();
      await scene.turn.take(new AbortController().signal);
      await scene.clock.advance(LATER_MS);
      expect((await scene.pass(scene.sweeps.storage)).findings).toEqual([]);
    });

    it('tells of media that is gone, and leaves the recording as it is', async () => {
      const recording = ended({ hasMedia: true });
      await scene.keep(recording);
      await scene.storage.deleteMany([mediaKey(recording)]);
      await scene.clock.advance(LATER_MS);
      for (let i = 0; i < 3; i += 1) {
        const run = await scene.pass(scene.sweeps.storage);
        expect(told(run)).toEqual([`MEDIA_MISSING ${recording.id}`]);
        expect(run.acted).toBe(0);
      }
      expect((await scene.store.get(recording.id))!.hasMedia).toBe(true);
    });

    it('writes a record again that a slow writer, overtaken, left behind its row', async () => {
      const recording = ended();
      await scene.keep(recording);
      const old = (await scene.storage.get(recordOf(recording)))!;
      const by = aRecordingId();
      await scene.writer.apply(recording.id, { kind: 'continued', by, at: scene.clock.now() }, 'test');
      await scene.archive.write(recording.id);
      await scene.clock.advance(60_000);
      await scene.storage.put(recordOf(recording), old, 'application/json');
      await scene.clock.advance(LATER_MS);
      await inTwoSights('storage', `METADATA_OLDER ${recording.id}`, async () => {
        return !(await scene.storage.get(recordOf(recording)))!.toString().includes(by);
      });
    });

    it('tells of media of another size than its recording says, and leaves both as they are', async () => {
      const differs = ended({ hasMedia: true, sizeBytes: 4_711 });
      const same = ended({ hasMedia: true, sizeBytes: 'media'.length });
      for (const one of [differs, same]) await scene.keep(one);
      await scene.clock.advance(LATER_MS);
      for (let i = 0; i < 3; i += 1) {
        const run = await scene.pass(scene.sweeps.storage);
        expect(told(run)).toEqual([`MEDIA_SIZE_DIFFERS ${differs.id}`]);
        expect(run.findings[0]!.detail).toMatch(/5 bytes.*4711/);
        expect(run.acted).toBe(0);
      }
      expect((await scene.store.get(differs.id))!.sizeBytes).toBe(4_711);
    });

    it('gives all that it restores in one pass one number to leap by', async () => {
      const all = [ended(), ended(), ended()];
      for (const recording of all) await scene.keep(recording);
      await redis().flushall();
      await scene.mark.set();
      await scene.clock.advance(LATER_MS);
      await scene.pass(scene.sweeps.storage);
      expect((await scene.pass(scene.sweeps.storage)).acted).toBe(3);
      const back = await Promise.all(all.map(({ id }) => scene.store.get(id)));
      expect(back.map((one) => one?.upkeep.returned?.number)).toEqual([1, 1, 1]);
    });

    it('never brings back what was deleted, however long nobody has looked', async () => {
      const recording = ended();
      await scene.keep(recording);
      const record = (await scene.storage.get(recordOf(recording)))!;
      await scene.writer.apply(recording.id, { kind: 'deletion-requested', by: 'me', at: T0 }, 'me');
      await scene.writer.apply(recording.id, { kind: 'deleted', at: T0 }, 'me');
      await scene.storage.put(recordOf(recording), record, 'application/json');
      for (let i = 0; i < 2; i += 1) {
        await scene.clock.advance(10 * DAY_MS);
        const other = ended();
        await scene.keep(other);
        await scene.writer.apply(other.id, { kind: 'deletion-requested', by: 'me', at: T0 }, 'me');
        await scene.writer.apply(other.id, { kind: 'deleted', at: T0 }, 'me');
        await scene.storage.deleteMany([recordOf(other)]);
        expect(told(await scene.pass(scene.sweeps.storage))).toEqual([`LEFTOVER ${recordOf(recording)}`]);
      }
      expect(await isThere(recordOf(recording))).toBe(false);
      await scene.clock.advance(3 * DAY_MS);
      expect((await scene.pass(scene.sweeps.storage)).findings).toEqual([]);
      expect(await redis().zcard(keys.deleted())).toBe(0);
    });

    it('leaves the room as it was recorded of a name that only a digest stands for', async () => {
      const roomId = aRoomName('😀'.repeat(64));
      const kept = JSON.stringify({ format: 1, room: { id: roomId } });
      await scene.storage.put(roomMetadataKey(roomId), Buffer.from(kept), 'application/json');
      const recording = ended({ roomId });
      await scene.keep(recording);
      await scene.clock.advance(LATER_MS);
      expect((await scene.pass(scene.sweeps.storage)).findings).toEqual([]);
      await scene.writer.apply(recording.id, { kind: 'deletion-requested', by: 'me', at: T0 }, 'me');
      await scene.writer.apply(recording.id, { kind: 'deleted', at: T0 }, 'me');
      await scene.storage.deleteMany([recordOf(recording)]);
      const key = roomMetadataKey(roomId);
      await scene.clock.advance(LATER_MS);
      await inTwoSights('storage', `LEFTOVER ${key}`, () => isThere(key));
    });

    it('tells of media that no record knows, and never touches it', async () => {
      const key = mediaKey({ id: aRecordingId(), roomId: aRoomId(), audioOnly: false, crashProof: false });
      await scene.storage.put(key, Buffer.from('whose?'), 'video/mp4');
      await scene.clock.advance(LATER_MS);
      for (let i = 0; i < 3; i += 1)
        expect(told(await scene.pass(scene.sweeps.storage))).toEqual([`MEDIA_WITHOUT_RECORD ${key}`]);
      expect(await isThere(key)).toBe(true);
    });

    it('shows media that an egress left without a word', async () => {
      const recording = ended({ status: 'FAILED', hasMedia: false });
      await scene.keep(recording);
      await scene.putMedia(recording);
      await scene.clock.advance(LATER_MS);
      await inTwoSights('storage', `MEDIA_NOT_SHOWN ${recording.id}`, async () => {
        return !(await scene.store.get(recording.id))!.hasMedia;
      });
      expect((await scene.store.get(recording.id))!.sizeBytes).toBe('media'.length);
    });

    it('leaves media alone that an egress still writes', async () => {
      const made = ended({ status: 'FAILED' });
      const upkeep = { ...made.upkeep, egresses: { EG_1: 'live' as const } };
      await scene.keep({ ...made, upkeep });
      await scene.putMedia(made);
      await scene.clock.advance(LATER_MS);
      expect((await scene.pass(scene.sweeps.storage)).findings).toEqual([]);
    });

    it('removes what landed after its recording was deleted', async () => {
      const recording = ended({ hasMedia: true });
      await scene.keep(recording);
      await scene.writer.apply(recording.id, { kind: 'deletion-requested', by: 'me', at: T0 }, 'me');
      await scene.writer.apply(recording.id, { kind: 'deleted', at: T0 }, 'me');
      await scene.storage.deleteMany([recordOf(recording)]);
      await scene.clock.advance(LATER_MS);
      const key = mediaKey(recording);
      await inTwoSights('storage', `LEFTOVER ${key}`, () => isThere(key));
    });

    const putSegments = async (of: StoredRecording): Promise<string> => {
      const { prefix, playlist } = segmentKeys(of);
      for (const key of [`${prefix}_00000.ts`, `${prefix}_00001.ts`, playlist])
        await scene.storage.put(key, Buffer.from('x'), 'video/mp2t');
      return playlist.slice(0, playlist.lastIndexOf('/') + 1);
    };

    it('removes segments that outlived their use, told as one', async () => {
      const recording = ended({ hasMedia: true, crashProof: true });
      await scene.keep(recording);
      const folder = await putSegments(recording);
      await scene.clock.advance(LATER_MS);
      await inTwoSights('storage', `LEFTOVER ${folder}`, () => isThere(`${folder}part_00001.ts`));
    });

    it('leaves segments alone that are all there is of a recording, or that it knows nothing of', async () => {
      const recording = ended({ crashProof: true, status: 'FAILED' });
      await scene.keep(recording);
      const folder = await putSegments(recording);
      const unknown = await putSegments(aRecording());
      await scene.clock.advance(LATER_MS);
      await scene.pass(scene.sweeps.storage);
      expect(told(await scene.pass(scene.sweeps.storage))).toEqual([`MEDIA_WITHOUT_RECORD ${unknown}`]);
      expect(await isThere(`${folder}part_00000.ts`)).toBe(true);
      expect(await isThere(`${unknown}part_00000.ts`)).toBe(true);
    });

    it('removes the room metadata that outlived the room’s last recording', async () => {
      const key = roomMetadataKey(aRoomId('empty'));
      await scene.storage.put(key, Buffer.from('{}'), 'application/json');
      await scene.clock.advance(LATER_MS);
      await inTwoSights('storage', `LEFTOVER ${key}`, () => isThere(key));
    });

    it('ignores objects that are none of its own, and half written ones', async () => {
      const put = (key: string) => scene.storage.put(key, Buffer.from('x'), 'text/plain');
      await put('recordings/room-1/holiday.mp4');
      await put(`recordings/room-1/${aRecordingId()}.mp4.part`);
      await put(`recordings/other/recordings/room-1/${aRecordingId()}.mp4`);
      await put('recordings/.metadata/room-1/.tmp.json');
      await scene.clock.advance(LATER_MS);
      expect(await scene.pass(scene.sweeps.storage)).toMatchObject({ findings: [], failed: 0 });
    });

    it('says that a record can not be understood instead of restoring half of it', async () => {
      const id = aRecordingId();
      await scene.storage.put(
        metadataKey({ id, roomId: aRoomId() }),
        Buffer.from('{"format":1}'),
        'application/json',
      );
      await scene.clock.advance(LATER_MS);
      await scene.pass(scene.sweeps.storage);
      await expect(scene.pass(scene.sweeps.storage)).rejects.toThrow(`RECORD_WITHOUT_ROW ${id}`);
      expect(await scene.store.get(id)).toBeNull();
    });

    it('compares several pages of recordings', async () => {
      const all = Array.from({ length: 450 }, () => ended({ hasMedia: true }));
      for (const recording of all) await scene.keep(recording);
      await scene.storage.deleteMany([recordOf(all[7]!), recordOf(all[440]!)]);
      await scene.clock.advance(LATER_MS);
      const run = await scene.pass(scene.sweeps.storage);
      expect(told(run).sort()).toEqual([all[7]!, all[440]!].map(({ id }) => `METADATA_MISSING ${id}`).sort());
    });
  });

  describe('RETENTION', () => {
    const makeRoom = async (id: string, settings: Partial<RoomRecordingSettings>): Promise<void> => {
      const room = newRoom(aRoomId(id), { name: id, recordingSettings: settings }, T0);
      await scene.rooms.create(room);
    };

    it('deletes what ended so many days ago, and nothing else', async () => {
      await makeRoom('keeps-two-days', { retentionDays: 2 });
      await makeRoom('keeps-all', {});
      const old = ended({ roomId: aRoomId('keeps-two-days'), hasMedia: true });
      const elsewhere = ended({ roomId: aRoomId('keeps-all') });
      await scene.keep(old);
      await scene.keep(elsewhere);
      const long = ended({ roomId: aRoomId('keeps-two-days'), endedAt: T0 + DAY_MS });
      await scene.keep(long);
      await scene.keep(aRecording({ roomId: aRoomId('keeps-two-days'), requestedAt: T0 }));
      await scene.clock.advance(2 * DAY_MS - 1);
      expect((await scene.pass(scene.sweeps.retention)).findings).toEqual([]);
      await scene.clock.advance(1);
      await inTwoSights('retention', `EXPIRED_RECORDING ${old.id}`, async () => {
        return (await scene.store.get(old.id)) !== null;
      });
      expect(await isThere(recordOf(old))).toBe(false);
      expect(await isThere(mediaKey(old))).toBe(false);
      expect(await scene.store.countInRoom(aRoomId('keeps-two-days'))).toBe(2);
      expect(await scene.store.countInRoom(aRoomId('keeps-all'))).toBe(1);
    });

    it('keeps a recording whose deletion the storage refuses, and tries again', async () => {
      await makeRoom('room', { retentionDays: 1 });
      const old = ended({ roomId: aRoomId('room') });
      await scene.keep(old);
      await scene.clock.advance(2 * DAY_MS);
      await scene.pass(scene.sweeps.retention);
      scene.storage.away = true;
      await expect(scene.pass(scene.sweeps.retention)).rejects.toThrow(`EXPIRED_RECORDING ${old.id}`);
      scene.storage.away = false;
      expect(await scene.store.get(old.id)).not.toBeNull();
      const filed = await scene.store.outbox(0, 10);
      expect(filed.map(({ effect }) => effect.do)).toContain('finish-deletion');
    });

    it('goes through many pages', async () => {
      await makeRoom('room', { retentionDays: 1 });
      for (let i = 0; i < 250; i += 1) await scene.keep(ended({ roomId: aRoomId('room') }));
      await scene.clock.advance(2 * DAY_MS);
      expect((await scene.pass(scene.sweeps.retention)).findings).toHaveLength(250);
      expect((await scene.pass(scene.sweeps.retention)).acted).toBe(250);
      expect(await scene.store.countInRoom(aRoomId('room'))).toBe(0);
    });
  });

  describe('ORPHANED_LOCKS', () => {
    const GRACE_MS = 61_000;
    const isHeld = async (): Promise<boolean> => (await scene.store.slotHolder(aRoomId())) !== null;

    it('frees a room whose recording is final and whose egresses have ended, as nobody else did', async () => {
      const made = aRecording({ status: 'FAILED', endedAt: T0, egressId: 'EG_1' });
      const upkeep = {
        ...made.upkeep,
        startAnswer: 'accepted' as const,
        egresses: { EG_1: 'live' as const },
      };
      const recording = { ...made, upkeep };
      await scene.keep(recording);
      scene.livekit.egresses = [anEgress(recording, { status: 'ACTIVE', egressId: 'EG_1' })];
      await scene.clock.advance(GRACE_MS);
      expect((await scene.pass(scene.sweeps.locks)).findings).toEqual([]);
      scene.livekit.egresses = [anEgress(recording, { status: 'ABORTED', egressId: 'EG_1' })];
      await inTwoSights('locks', 'ORPHANED_SLOT room-1', isHeld);
      expect((await scene.store.get(recording.id))!.upkeep).toMatchObject({ holdsSlot: false });
    });

    it('leaves a room that is held by a recording in progress, however old, with whatever LiveKit lists', async () => {
      await scene.keep(aRecording());
      await scene.clock.advance(DAY_MS);
      expect(await scene.pass(scene.sweeps.locks)).toMatchObject({ findings: [], examined: 1 });
      expect(await isHeld()).toBe(true);
    });

    it('leaves a room whose start may still be on its way', async () => {
      const made = aRecording({ status: 'FAILED', endedAt: T0 });
      const startPendingUntil = T0 + 2 * GRACE_MS;
      await scene.keep({ ...made, upkeep: { ...made.upkeep, startAnswer: 'unanswered', startPendingUntil } });
      await scene.clock.advance(GRACE_MS);
      expect((await scene.pass(scene.sweeps.locks)).findings).toEqual([]);
      await scene.clock.advance(GRACE_MS);
      await inTwoSights('locks', 'ORPHANED_SLOT room-1', isHeld);
    });

    it('leaves what is younger than the grace', async () => {
      await scene.keep(aRecording({ status: 'FAILED', endedAt: T0 }));
      await scene.clock.advance(GRACE_MS - 2_000);
      expect(await scene.pass(scene.sweeps.locks)).toMatchObject({ findings: [], examined: 0 });
    });

    it('frees a room that an unknown recording holds, once nothing of it runs', async () => {
      const unknown = aRecording();
      await redis().hset(keys.slot(aRoomId()), 'recording', unknown.id, 'since', T0);
      await redis().zadd(keys.slots(), T0, aRoomId());
      scene.livekit.egresses = [anEgress(unknown, { status: 'STARTING' })];
      await scene.clock.advance(GRACE_MS);
      expect((await scene.pass(scene.sweeps.locks)).findings).toEqual([]);
      scene.livekit.egresses = [];
      await inTwoSights('locks', 'ORPHANED_SLOT room-1', isHeld);
    });

    it('gives a room back to its recording where Redis lost what holds it', async () => {
      const recording = aRecording({ status: 'ACTIVE', egressId: 'EG_1' });
      await scene.keep(recording);
      await redis().del(keys.slot(aRoomId()));
      const pass = await scene.pass(scene.sweeps.locks);
      expect(pass.findings.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(['LOST_SLOT room-1']);
      expect(await scene.store.slotHolder(aRoomId())).toBe(recording.id);
      expect(await redis().zscore(keys.slots(), aRoomId())).not.toBeNull();
      expect((await scene.pass(scene.sweeps.locks)).findings).toEqual([]);
    });

    it.each(['locks', 'storage'] as const)(
      'comes back to a recording of which Redis lost that somebody has to: %s',
      async (sweep) => {
        const recording = aRecording({ status: 'ENDING', egressId: 'EG_1' });
        await scene.keep(recording);
        await redis().del(keys.unsettled());
        await scene.clock.advance(Math.max(GRACE_MS, ON_ITS_WAY_MS));
        const found = async (): Promise<string[]> =>
          (await scene.pass(scene.sweeps[sweep])).findings.map(({ kind, subject }) => `${kind} ${subject}`);
        expect(await found()).toEqual([`FORGOTTEN_RECORDING ${recording.id}`]);
        expect(await scene.store.unsettled(null, 10)).toEqual([recording.id]);
        expect(await found()).toEqual([]);
      },
    );

    it('gives no room to a recording that has gone on since it was looked at', async () => {
      const recording = aRecording({ status: 'ACTIVE', egressId: 'EG_1' });
      await scene.keep(recording);
      await redis().del(keys.slot(aRoomId()));
      expect(await scene.slots.take({ ...recording, rev: recording.rev + 1 })).toBe(false);
      expect(await scene.store.slotHolder(aRoomId())).toBeNull();
    });

    it('does not free a room that another has taken since it was looked at', async () => {
      const unknown = aRecording();
      await redis().hset(keys.slot(aRoomId()), 'recording', unknown.id, 'since', T0);
      const slot = { roomId: aRoomId(), recordingId: unknown.id, since: T0 };
      const other = aRecordingId();
      await redis().hset(keys.slot(aRoomId()), 'recording', other);
      expect(await scene.slots.free(slot, null)).toBe(false);
      expect(await scene.store.slotHolder(aRoomId())).toBe(other);
    });

    it('releases a lease that has no end, and looks at every other', async () => {
      await redis().hset(keys.lease('left'), 'owner', 'somebody', 'token', 't', 'since', 1, 'until', 2);
      await redis().zadd(keys.leases(), 1, 'left');
      await scene.leases.acquire('held', { owner: 'me', ttlMs: 60_000 });
      await inTwoSights('locks', 'ORPHANED_LEASE left', async () => {
        return (await redis().exists(keys.lease('left'))) === 1;
      });
      expect((await scene.leases.list()).map(({ name }) => name)).toEqual(['held']);
    });
  });
});
