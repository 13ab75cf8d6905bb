import { Readable } from 'node:stream';
import { aRecording, aRoomId } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import { mediaKey, numberedSegmentKey, segmentKeys } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import type { StoredRecording } from '../domain/recording.js';
import { type JoinedMedia, NothingToJoin } from '../segments/join-segments.js';
import { SegmentJoiner } from '../segments/segment-joiner.js';
import { RecoverRecording } from './recover-recording.js';

/** A recording whose worker died, with its segments in the bucket. */
function lost(scene: CoreScene, numbers: readonly number[], fields: Partial<StoredRecording> = {}) {
  const row = scene.put({
    ...aRecording({
      ...{ roomId: aRoomId('talk'), crashProof: true, status: 'ENDING', endReason: 'RECORDER_LOST' },
      upkeep: {
        ...{ egresses: { EG_1: 'lost' }, holdsSlot: false },
        recovery: { since: 1, askedAt: 1, otherwise: { status: 'FAILED', error: 'the egress worker died' } },
      },
    }),
    ...fields,
  });
  for (const number of numbers) scene.world.bucket.set(numberedSegmentKey(row, number), Buffer.from('s'));
  return row;
}

function recover(scene: CoreScene, { id }: StoredRecording): Promise<void> {
  return scene.answer(scene.use(RecoverRecording).execute(id));
}

function joining(scene: CoreScene, about: Partial<JoinedMedia>, first = (): void => undefined): string[] {
  const names: string[] = [];
  const join: SegmentJoiner['join'] = async (segments, use) => {
    for await (const segment of segments) if ((await segment.read())?.length === 1) names.push(segment.name);
    first();
    const media = { sizeBytes: 6, durationMs: 4_000, joined: 2, skipped: [], gaps: [], ...about };
    return use(media, () => Readable.from([Buffer.from('joined')]));
  };
  scene.instead(SegmentJoiner, 'join', join);
  return names;
}

describe('a recording whose file did not come', () => {
  it('is put together from its segments', async () => {
    const scene = new CoreScene();
    const row = lost(scene, [0, 1]);
    await recover(scene, row);
    expect(scene.world.bucket.get(mediaKey(row))?.body.toString()).toBe('joined');
    expect(scene.row(row.id)).toMatchObject({
      ...{ status: 'COMPLETE', hasMedia: true, recovered: true, filename: `${row.id}.mp4` },
      ...{ sizeBytes: 6, durationMs: 4_000 },
      error: 'the egress worker died; the media was put together from its segments',
    });
  });

  it('is put together in the order of the numbers, of segments alone', async () => {
    const scene = new CoreScene();
    const row = lost(scene, [100_000, 99_999]);
    scene.world.bucket.set(`${segmentKeys(row).prefix}_x.ts`, Buffer.from('x'));
    const names = joining(scene, {});
    await recover(scene, row);
    expect(names).toEqual(['part_99999.ts', 'part_100000.ts']);
  });

  it.each([
    [false, 'video/mp4'],
    [true, 'audio/mp4'],
  ])('is stored as what it is, audio alone or not: %s', async (audioOnly, type) => {
    const scene = new CoreScene();
    const row = lost(scene, [0], { audioOnly });
    let stored = '';
    scene.instead(ObjectStorage, 'write', async (key, _body, contentType) => {
      stored = `${key} ${contentType}`;
      return 6;
    });
    await recover(scene, row);
    expect(stored).toBe(`${mediaKey(row)} ${type}`);
  });

  const gaps = [
    { atMs: 1, lostMs: 1_500 },
    { atMs: 2, lostMs: 760 },
  ];
  const skipped = [{ name: 'part_00001.ts', why: 'damaged' }];
  it.each<[string, Partial<JoinedMedia>, string]>([
    ['seconds', { gaps, skipped }, 'segments, without 2.3 s of which no segment could be read'],
    ['segments', { skipped }, 'segments, without 1 segments that could not be read'],
    ['nothing', {}, 'segments'],
  ])('says what is missing: %s', async (_what, about, end) => {
    const scene = new CoreScene();
    const row = lost(scene, [0]);
    joining(scene, about);
    await recover(scene, row);
    const { error } = scene.row(row.id);
    expect(error).toBe(`the egress worker died; the media was put together from its ${end}`);
  });

  it('has its file where that came after all, and an empty one is none', async () => {
    const scene = new CoreScene();
    const row = lost(scene, [0]);
    scene.world.bucket.set(mediaKey(row), Buffer.from('its own'));
    await recover(scene, row);
    expect(scene.world.bucket.get(mediaKey(row))?.body.toString()).toBe('its own');
    const whole = { status: 'COMPLETE', hasMedia: true, recovered: false, sizeBytes: 7, error: null };
    expect(scene.row(row.id)).toMatchObject(whole);
    const other = lost(scene, [0]);
    scene.world.bucket.set(mediaKey(other), Buffer.alloc(0));
    await recover(scene, other);
    expect(scene.row(other.id)).toMatchObject({ status: 'COMPLETE', recovered: true, sizeBytes: 6 });
  });

  it('is left alone where it is not to be put together, or is gone', async () => {
    const scene = new CoreScene();
    const row = lost(scene, [0], { status: 'FAILED' });
    await recover(scene, row);
    expect(scene.row(row.id)).toEqual(row);
    scene.world.recordings.rows.delete(row.id);
    await recover(scene, row);
    expect(scene.world.bucket.get(mediaKey(row))).toBeUndefined();
  });

  it.each(['done', 'gone'])(
    'is not stored again where it is %s by the time its segments are joined',
    async (how) => {
      const scene = new CoreScene();
      const row = lost(scene, [0]);
      joining(scene, {}, () => {
        if (how === 'done') scene.put({ ...row, status: 'COMPLETE' });
        else scene.world.recordings.rows.delete(row.id);
      });
      await recover(scene, row);
      expect(scene.world.bucket.get(mediaKey(row))).toBeUndefined();
    },
  );

  it('ends as it would have where no segment of it was written', async () => {
    const scene = new CoreScene();
    const row = lost(scene, []);
    await recover(scene, row);
    const error = 'the egress worker died (no segment of it was written)';
    expect(scene.row(row.id)).toMatchObject({ status: 'FAILED', hasMedia: false, error });
  });

  it('ends as it would have where none can be read, and says where they are', async () => {
    const scene = new CoreScene();
    const row = lost(scene, [0, 1]);
    const why = 'damaged';
    scene.instead(SegmentJoiner, 'join', async () => {
      throw new NothingToJoin([
        { name: 'part_00000.ts', why },
        { name: 'part_00001.ts', why },
      ]);
    });
    await recover(scene, row);
    const kept = `its segments are kept in recordings/talk/${row.id}/`;
    const error = `the egress worker died (none of its 2 segments can be read; ${kept})`;
    expect(scene.row(row.id)).toMatchObject({ status: 'FAILED', error });
    expect(scene.world.bucket.get(numberedSegmentKey(row, 1))).toBeDefined();
  });

  it.each(['head', 'get'] as const)(
    'stays to be put together where a %s of the bucket fails',
    async (what) => {
      const scene = new CoreScene();
      const row = lost(scene, [0]);
      scene.instead(ObjectStorage, what, async () => {
        throw new Error('a fault');
      });
      expect(await scene.refusal(scene.use(RecoverRecording).execute(row.id))).toMatchObject({
        message: 'a fault',
      });
      expect(scene.row(row.id)).toEqual(row);
    },
  );
});
