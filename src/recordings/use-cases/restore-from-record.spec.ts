import { aRecording } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import { metadataKey, RESTORE_GENERATIONS_KEY } from '../../storage/object-keys.js';
import type { StoredRecording } from '../domain/recording.js';
import { RestoreFromRecord, UnreadableRecord } from './restore-from-record.js';

/** Its record in the bucket. */
function record(
  scene: CoreScene,
  row: StoredRecording = aRecording({ status: 'COMPLETE' }),
): StoredRecording {
  const body = JSON.stringify({ format: 1, recording: row, history: [] });
  scene.world.bucket.set(metadataKey(row), Buffer.from(body));
  return row;
}

function restore(scene: CoreScene, key: string): Promise<void> {
  return scene.answer(scene.use(RestoreFromRecord).execute(key, 'test'));
}

/** How often recordings were brought back, as the bucket says. */
function returns({ world }: CoreScene): unknown {
  const body = world.bucket.get(RESTORE_GENERATIONS_KEY)?.body;
  return body === undefined ? 0 : JSON.parse(body.toString('utf8')).last;
}

describe('a record of the bucket', () => {
  it('becomes its recording again, with a number of its own for each return', async () => {
    const scene = new CoreScene();
    const [first, second] = [record(scene), record(scene)];
    await restore(scene, metadataKey(first));
    await restore(scene, metadataKey(second));
    expect(scene.row(first.id)).toMatchObject({ status: 'COMPLETE', upkeep: { returned: { number: 1 } } });
    expect(scene.row(second.id).upkeep.returned?.number).toBe(2);
    expect(scene.row(first.id).version).toBeGreaterThan(first.version);
    expect(returns(scene)).toBe(2);
    const [event] = [...scene.world.recordings.events.values()];
    expect(event).toMatchObject({ cause: 'test', recording: { id: first.id } });
  });

  it('has the same number as all others that come back with it', async () => {
    const scene = new CoreScene();
    const rows = [record(scene), record(scene)];
    const bring = scene.use(RestoreFromRecord).batch('test');
    for (const row of rows) await scene.answer(bring(metadataKey(row)));
    expect(rows.map(({ id }) => scene.row(id).upkeep.returned?.number)).toEqual([1, 1]);
    expect(returns(scene)).toBe(1);
  });

  it('changes nothing where its recording is known, was deleted, or it is gone or none itself', async () => {
    const scene = new CoreScene();
    const known = scene.put(record(scene));
    const deleted = record(scene);
    scene.world.recordings.deleted.set(deleted.id, 1);
    const gone = aRecording();
    for (const key of [...[known, deleted, gone].map(metadataKey), 'recordings/.metadata/talk/none.json'])
      await restore(scene, key);
    expect(scene.world.rows()).toEqual([known]);
    expect(returns(scene)).toBe(0);
  });

  it('is told of where it cannot be read, and takes no number', async () => {
    const scene = new CoreScene();
    const key = metadataKey(aRecording());
    scene.world.bucket.set(key, Buffer.from('{'));
    const refused = await scene.refusal(scene.use(RestoreFromRecord).execute(key, 'test'));
    expect(refused).toBeInstanceOf(UnreadableRecord);
    expect(refused.message).toContain(`${key} is no record of a recording: it is no JSON`);
    expect(returns(scene)).toBe(0);
  });
});
