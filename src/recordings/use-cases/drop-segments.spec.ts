import { aRecording } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import { mediaKey, numberedSegmentKey } from '../../storage/object-keys.js';
import type { StoredRecording } from '../domain/recording.js';
import { DropSegments } from './drop-segments.js';

/** A recording with two segments and, of so many bytes, its file. */
function segmented(scene: CoreScene, row: StoredRecording, fileBytes: number | null): readonly string[] {
  const segments = [0, 1].map((number) => numberedSegmentKey(row, number));
  for (const key of segments) scene.world.bucket.set(key, Buffer.from('s'));
  if (fileBytes !== null) scene.world.bucket.set(mediaKey(row), Buffer.alloc(fileBytes));
  return segments;
}

const WHOLE = { crashProof: true, status: 'COMPLETE', hasMedia: true, sizeBytes: 9 } as const;
const drop = (scene: CoreScene, { id }: StoredRecording) => scene.use(DropSegments).execute(id);

describe('the segments of a recording', () => {
  it('are removed once its file is there', async () => {
    const scene = new CoreScene();
    const row = scene.put(aRecording(WHOLE));
    segmented(scene, row, 9);
    await scene.answer(drop(scene, row));
    expect(scene.world.bucket.keys()).toEqual([mediaKey(row)]);
  });

  it.each<[string, StoredRecording, number | null, boolean]>([
    ['its file is not there', aRecording(WHOLE), null, true],
    ['its file is empty', aRecording(WHOLE), 0, true],
    ['it is not over', aRecording({ ...WHOLE, status: 'ACTIVE' }), 9, true],
    ['it is being deleted as a whole', aRecording({ ...WHOLE, upkeep: { deleted: true } }), 9, true],
    ['nobody knows it', aRecording(WHOLE), 9, false],
  ])('stay where %s', async (_why, row, bytes, planted) => {
    const scene = new CoreScene();
    if (planted) scene.put(row);
    const segments = segmented(scene, row, bytes);
    await scene.answer(drop(scene, row));
    expect(scene.world.bucket.keys()).toEqual(expect.arrayContaining([...segments]));
  });

  it('that the storage does not remove are told of', async () => {
    const scene = new CoreScene();
    const row = scene.put(aRecording(WHOLE));
    segmented(scene, row, 9);
    scene.world.bucket.deleteFails = 1;
    const refused = await scene.refusal(drop(scene, row));
    expect(refused).toMatchObject({ code: 'STORAGE_UNAVAILABLE', subject: { recordingId: row.id } });
    expect(refused.message).toContain('(we encountered an internal error)');
  });
});
