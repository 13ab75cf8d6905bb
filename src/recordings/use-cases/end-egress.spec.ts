import { toEgressSeen } from '../../livekit/livekit.mapping.js';
import { LiveKit } from '../../livekit/livekit.port.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import type { EgressState, StoredRecording } from '../domain/recording.js';
import { EndEgress, type EgressToEnd } from './end-egress.js';

interface Active {
  readonly recording: StoredRecording;
  readonly egressId: string;
  readonly ending: EgressToEnd;
}

async function active(scene: CoreScene): Promise<Active> {
  const recording = await scene.recorded();
  const egressId = recording.egressId!;
  return {
    recording,
    egressId,
    ending: { recordingId: recording.id, roomName: 'talk', egressId, reason: 'a test' },
  };
}

/** The row takes the egress for this, whatever LiveKit has. */
function take(scene: CoreScene, { recording: { id }, egressId }: Active, state: EgressState): void {
  const row = scene.row(id);
  scene.put({ ...row, upkeep: { ...row.upkeep, egresses: { [egressId]: state } } });
}

function stop(scene: CoreScene, ending: EgressToEnd): Promise<number | null> {
  return scene.answer(scene.use(EndEgress).stop(ending));
}

function remove(scene: CoreScene, ending: EgressToEnd): Promise<void> {
  return scene.answer(scene.use(EndEgress).removeRecorder(ending));
}

describe('an egress that has no right to run on', () => {
  it('is stopped, and its recording is ENDING at once', async () => {
    const scene = new CoreScene();
    const { recording, egressId, ending } = await active(scene);
    expect(await stop(scene, ending)).toBeNull();
    expect(scene.row(recording.id).status).toBe('ENDING');
    await scene.run(30_000);
    expect(scene.world.engine.runningEgressIds()).not.toContain(egressId);
  });

  it.each(['over', 'lost'] as const)('is left alone where its recording takes it for %s', async (state) => {
    const scene = new CoreScene();
    const found = await active(scene);
    take(scene, found, state);
    expect(await stop(scene, found.ending)).toBeNull();
    expect(toEgressSeen(scene.world.engine.egress(found.egressId)!).status).toBe('ACTIVE');
  });

  it('is stopped where LiveKit lists it as running though its recording takes it for over', async () => {
    const scene = new CoreScene();
    const found = await active(scene);
    take(scene, found, 'over');
    expect(await stop(scene, { ...found.ending, listed: true })).toBeNull();
    expect(toEgressSeen(scene.world.engine.egress(found.egressId)!).status).toBe('ENDING');
  });

  it('is left alone where its worker is proven dead, also while LiveKit lists it as running', async () => {
    const scene = new CoreScene();
    const found = await active(scene);
    take(scene, found, 'lost');
    expect(await stop(scene, { ...found.ending, listed: true })).toBeNull();
    expect(toEgressSeen(scene.world.engine.egress(found.egressId)!).status).toBe('ACTIVE');
  });

  it('and that LiveKit can not stop any more is taken over as LiveKit has it', async () => {
    const scene = new CoreScene();
    const { recording, egressId, ending } = await active(scene);
    scene.world.engine.setFault({ name: 'webhooks-lost', room: '*' });
    scene.world.engine.endEgress(egressId, 'limit-reached');
    await scene.run(5_000);
    expect(scene.row(recording.id).status).toBe('ACTIVE');
    expect(await stop(scene, ending)).toBeNull();
    expect(scene.row(recording.id).status).toBe('LIMIT_REACHED');
  });

  it('and that LiveKit has forgotten is put out of its room', async () => {
    const scene = new CoreScene();
    const { egressId, ending } = await active(scene);
    scene.world.engine.dropEgress(egressId);
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'not-known' }));
    expect(await stop(scene, ending)).toBeNull();
    expect(scene.world.engine.rooms.find('talk')?.participants.has(egressId)).toBe(false);
  });

  it('is not put out of its room where LiveKit knows by then that it is over', async () => {
    const scene = new CoreScene();
    const found = await active(scene);
    const { egressId, ending, recording } = found;
    const over = { ...toEgressSeen(scene.world.engine.egress(egressId)!), status: 'COMPLETE' as const };
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'not-known' }));
    scene.instead(LiveKit, 'findEgress', async () => over);
    expect(await stop(scene, ending)).toBeNull();
    expect(scene.row(recording.id).upkeep.egresses).toEqual({ [egressId]: 'over' });
    expect(scene.world.engine.rooms.find('talk')?.participants.has(egressId)).toBe(true);
  });

  it('is put out of its room and asked again soon where its worker gave no answer', async () => {
    const scene = new CoreScene();
    const { egressId, ending } = await active(scene);
    scene.instead(LiveKit, 'stopEgress', async () => ({ kind: 'no-answer-from-worker' }));
    expect(await stop(scene, ending)).toBe(3_000);
    expect(scene.world.engine.rooms.find('talk')?.participants.has(egressId)).toBe(false);
  });

  it('without a recording is stopped all the same', async () => {
    const scene = new CoreScene();
    const { recording, egressId, ending } = await active(scene);
    scene.world.recordings.rows.delete(recording.id);
    expect(await stop(scene, ending)).toBeNull();
    expect(toEgressSeen(scene.world.engine.egress(egressId)!).status).toBe('ENDING');
  });
});

describe('a recorder that should have left', () => {
  it('is put out of its room', async () => {
    const scene = new CoreScene();
    const { egressId, ending } = await active(scene);
    await remove(scene, ending);
    expect(scene.world.engine.rooms.find('talk')?.participants.has(egressId)).toBe(false);
  });

  it('is left alone where its egress is over', async () => {
    const scene = new CoreScene();
    const found = await active(scene);
    take(scene, found, 'over');
    await remove(scene, found.ending);
    expect(scene.world.engine.rooms.find('talk')?.participants.has(found.egressId)).toBe(true);
  });

  it('is left alone where LiveKit says that its egress is over', async () => {
    const scene = new CoreScene();
    const { egressId, ending, recording } = await active(scene);
    const over = { ...toEgressSeen(scene.world.engine.egress(egressId)!), status: 'COMPLETE' as const };
    scene.instead(LiveKit, 'findEgress', async () => over);
    await remove(scene, ending);
    expect(scene.row(recording.id).status).toBe('COMPLETE');
    expect(scene.world.engine.rooms.find('talk')?.participants.has(egressId)).toBe(true);
  });

  it('is put out of its room where LiveKit knows its egress no more', async () => {
    const scene = new CoreScene();
    const { egressId, ending } = await active(scene);
    scene.world.engine.dropEgress(egressId);
    await remove(scene, ending);
    expect(scene.world.engine.rooms.find('talk')?.participants.has(egressId)).toBe(false);
  });
});
