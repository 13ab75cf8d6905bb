import { aRecording } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import type { RecordingId } from '../../kernel/ids.js';
import { Unsettled } from './unsettled.js';

async function walk(scene: CoreScene): Promise<RecordingId[]> {
  const found: RecordingId[] = [];
  for await (const { id } of scene.use(Unsettled).all()) found.push(id);
  return found;
}

describe('a walk through what is unsettled', () => {
  it.each([0, 3, 200, 401])(
    'meets every recording once, of %i, and none whose row is gone',
    async (count) => {
      const scene = new CoreScene();
      const rows = Array.from({ length: count }, () => scene.put(aRecording()));
      for (const { id } of [...rows, aRecording()]) scene.world.recordings.unsettled.set(id, true);
      expect(await scene.answer(walk(scene))).toEqual(rows.map(({ id }) => id));
    },
  );
});
