import { aRecording, aRoomId } from '../../../test/support/builders.js';
import { ADMIN, CoreScene } from '../../../test/support/core-scene.js';
import { mediaKey, metadataKey, numberedSegmentKey } from '../../storage/object-keys.js';
import type { StoredRecording, Upkeep } from '../domain/recording.js';
import { DeleteRecording } from './delete-recording.js';

/** A recording that is over, with all that it can have in the bucket. */
function over(scene: CoreScene, fields: Partial<StoredRecording> = {}, upkeep: Partial<Upkeep> = {}) {
  const settled = { holdsSlot: false, bucketChecked: true, ...upkeep };
  const made = aRecording({ roomId: aRoomId('talk'), status: 'COMPLETE', hasMedia: true, upkeep: settled });
  const row = scene.put({ ...made, ...fields });
  for (const key of [mediaKey(row), numberedSegmentKey(row, 0), metadataKey(row)])
    scene.world.bucket.set(key, Buffer.from('x'));
  return row;
}

function remove(scene: CoreScene, { id }: StoredRecording, by = ADMIN): Promise<StoredRecording> {
  return scene.use(DeleteRecording).execute(id, by);
}

function causes({ world }: CoreScene): string[] {
  return [...world.recordings.events.values()].map(({ type, cause }) => `${type} ${cause}`);
}

describe('the deletion of a recording', () => {
  it('takes everything of it away, and tells what it was', async () => {
    const scene = new CoreScene();
    const row = over(scene);
    expect(await scene.answer(remove(scene, row))).toEqual(row);
    expect(scene.world.bucket.keys()).toEqual([]);
    expect(scene.world.row(row.id)).toBeNull();
    expect(scene.world.recordings.deleted.has(row.id)).toBe(true);
    expect(causes(scene)).toEqual(['DELETED admin']);
  });

  it.each(['STARTING', 'ACTIVE', 'ENDING'] as const)('is refused while it is %s', async (status) => {
    const scene = new CoreScene();
    const row = over(scene, { status });
    expect(await scene.refusal(remove(scene, row))).toMatchObject({
      code: 'RECORDING_NOT_STOPPED',
      message: `recording ${row.id} is ${status}; stop it before deleting it`,
      subject: { recordingId: row.id, roomId: 'talk' },
    });
    expect(scene.row(row.id)).toEqual(row);
    expect(scene.world.bucket.keys()).toHaveLength(3);
  });

  it('is refused to who may not delete, and there is none of what is not there', async () => {
    const scene = new CoreScene();
    const row = over(scene);
    const may = { ...ADMIN, role: 'RECORDER', mayDelete: false } as const;
    expect(await scene.refusal(remove(scene, row, may))).toMatchObject({ code: 'FORBIDDEN' });
    expect(scene.row(row.id)).toEqual(row);
    const none = await scene.refusal(remove(scene, aRecording()));
    expect(none).toMatchObject({ code: 'RECORDING_NOT_FOUND' });
  });

  it('that the storage does not finish is told, stays ordered, and is finished later', async () => {
    const scene = new CoreScene();
    const row = over(scene);
    scene.world.bucket.deleteFails = 1;
    expect(await scene.refusal(remove(scene, row))).toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      subject: { recordingId: row.id },
    });
    expect(scene.row(row.id).upkeep).toMatchObject({ deletion: { by: 'admin' }, deleted: false });
    scene.world.bucket.deleteFails = 0;
    await scene.run(120_000);
    expect(scene.world.row(row.id)).toBeNull();
    expect(scene.world.bucket.keys()).toEqual([]);
  });

  it.each([
    ['who carries it out', { requestedAt: 1, by: 'bob' }, 'a sweep', 'DELETED a sweep'],
    ['who ordered it', { requestedAt: 1, by: 'bob' }, null, 'DELETED bob'],
    ['nobody where nobody ordered it', null, null, 'DELETED deletion'],
  ])('is in the name of %s', async (_who, deletion, cause, expected) => {
    const scene = new CoreScene();
    const row = over(scene, {}, { deletion });
    await scene.answer(scene.use(DeleteRecording).carryOut(row, cause));
    expect(causes(scene)).toEqual([expected]);
  });

  it('takes away media that came after the row was gone', async () => {
    const scene = new CoreScene();
    const row = over(scene);
    scene.world.recordings.rows.delete(row.id);
    await scene.answer(scene.use(DeleteRecording).carryOut(row, null));
    expect(scene.world.bucket.keys()).toEqual([]);
  });
});
