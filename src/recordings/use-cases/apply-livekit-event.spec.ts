import { aRecording, anEgress, aRoomId } from '../../../test/support/builders.js';
import { CoreScene } from '../../../test/support/core-scene.js';
import type { EgressSeen, LiveKitEvent } from '../../livekit/livekit.types.js';
import { ApplyLiveKitEvent } from './apply-livekit-event.js';

const EG = 'EG_aaaaaaaaaaaa';
const OURS = { name: 'ours', endpoint: 'http://s3.test', deployment: 'ours' };
const base = { id: 'EV_1', createdAtMs: 77 };

/** A room with a recording that is ACTIVE, in which somebody is. */
async function recorded() {
  const scene = new CoreScene();
  await scene.meeting();
  const upkeep = { egresses: { [EG]: 'live', EG_lost: 'lost' } } as const;
  const row = scene.put(aRecording({ roomId: aRoomId('talk'), status: 'ACTIVE', egressId: EG, upkeep }));
  return { scene, row };
}

function apply(scene: CoreScene, event: LiveKitEvent) {
  return scene.answer(scene.use(ApplyLiveKitEvent).execute(event));
}

function came(
  kind: 'participant-joined' | 'participant-left',
  identity: string,
  of = 'egress',
  room = 'talk',
) {
  const participantKind = of as 'egress' | 'standard' | 'agent';
  return { ...base, kind, roomName: room, identity, participantKind } as const;
}

describe('an event of LiveKit', () => {
  it('about an egress is applied to its recording', async () => {
    const { scene, row } = await recorded();
    const egress = anEgress(row, { egressId: EG, status: 'ENDING', bucket: OURS });
    expect(await apply(scene, { ...base, kind: 'egress', egress })).toBeNull();
    expect(scene.row(row.id).status).toBe('ENDING');
  });

  it('about the end of a room has its recording judged and its worker asked', async () => {
    const { scene, row } = await recorded();
    const now = scene.world.clock.now();
    expect(await apply(scene, { ...base, kind: 'room-finished', roomName: 'talk' })).toBe(row.id);
    expect([...scene.world.recorders.nudged.entries()]).toEqual([[EG, now]]);
  });

  it('about a recorder that left is noted, and has its recording judged', async () => {
    const { scene, row } = await recorded();
    expect(await apply(scene, came('participant-left', EG))).toBe(row.id);
    expect(scene.world.recorders.left.get(EG)).toBe(77);
    expect(scene.world.recorders.nudged.has(EG)).toBe(true);
  });

  it('about a recorder that came is noted, and nothing has to be judged', async () => {
    const { scene } = await recorded();
    expect(await apply(scene, came('participant-joined', EG))).toBeNull();
    expect(scene.world.recorders.seen.get(EG)).toBe(77);
    expect(scene.world.recorders.nudged.size).toBe(0);
    expect(scene.world.engine.sentData('talk')).toEqual([]);
  });

  it.each(['EG_strange', 'EG_lost'])(
    'about the recorder %s, which is none that is live, is not noted',
    async (id) => {
      const { scene } = await recorded();
      await apply(scene, came('participant-joined', id));
      await apply(scene, came('participant-left', id));
      expect(scene.world.recorders.seen.has(id) || scene.world.recorders.left.has(id)).toBe(false);
    },
  );

  it('about a person who came has that one told of the recording', async () => {
    const { scene, row } = await recorded();
    expect(await apply(scene, came('participant-joined', 'ann', 'standard'))).toBeNull();
    const [sent, ...more] = scene.world.engine.sentData('talk');
    expect(more).toEqual([]);
    expect(sent?.to).toEqual(['ann']);
    const told = JSON.parse(Buffer.from(sent!.payload).toString('utf8'));
    expect(told).toEqual({ recordingId: row.id, roomId: 'talk', status: 'ACTIVE', version: row.version });
  });

  it.each<[string, LiveKitEvent]>([
    ['a person who left', came('participant-left', 'ann', 'standard')],
    ['an agent that came', came('participant-joined', 'bot', 'agent')],
    ['an agent with the name of a recorder', came('participant-joined', EG, 'agent')],
    ['a room that was opened', { ...base, kind: 'room-started', roomName: 'talk' }],
    [
      'what says nothing of recordings',
      { ...base, kind: 'other', name: 'track_published', roomName: 'talk' },
    ],
  ])('about %s changes nothing', async (_what, event) => {
    const { scene, row } = await recorded();
    expect(await apply(scene, event)).toBeNull();
    const { nudged, seen, left } = scene.world.recorders;
    expect([nudged.size, seen.size, left.size]).toEqual([0, 0, 0]);
    expect(scene.world.engine.sentData('talk')).toEqual([]);
    expect(scene.row(row.id)).toEqual(row);
  });

  it.each(['over', 'gone', 'elsewhere', 'impossible'])(
    'about a room whose recording is %s changes nothing',
    async (how) => {
      const { scene, row } = await recorded();
      if (how === 'over') scene.put({ ...row, status: 'COMPLETE' });
      if (how === 'gone') scene.world.recordings.rows.delete(row.id);
      const room = how === 'elsewhere' ? 'quiet' : how === 'impossible' ? '' : 'talk';
      expect(await apply(scene, { ...base, kind: 'room-finished', roomName: room })).toBeNull();
      expect(await apply(scene, came('participant-left', EG, 'egress', room))).toBeNull();
      await apply(scene, came('participant-joined', 'ann', 'standard', room));
      expect([scene.world.recorders.nudged.size, scene.world.recorders.left.size]).toEqual([0, 0]);
      expect(scene.world.engine.sentData()).toEqual([]);
    },
  );
});

describe('media that comes after its recording was deleted', () => {
  const row = aRecording({ roomId: aRoomId('talk') });
  const late = anEgress(row, { status: 'COMPLETE', bucket: OURS });
  const about = (egress: EgressSeen): LiveKitEvent => ({ ...base, kind: 'egress', egress });
  it.each<[string, LiveKitEvent, boolean]>([
    ['that an ended egress has uploaded', about(late), true],
    ['that was not uploaded', about({ ...late, file: { ...late.file!, uploaded: false } }), false],
    ['of an egress without a file', about({ ...late, file: null }), false],
    ['of an egress that goes on', about({ ...late, status: 'ENDING' }), false],
    ['of another deployment', about({ ...late, bucket: { ...OURS, name: 'theirs' } }), false],
    ['of no egress', { ...base, kind: 'room-finished', roomName: 'talk' }, false],
  ])('is told: %s', async (_what, event, isLate) => {
    const scene = new CoreScene();
    scene.world.recordings.deleted.set(row.id, 1);
    const found = await scene.answer(scene.use(ApplyLiveKitEvent).lateMediaOf(event));
    expect(found).toEqual(isLate ? { recordingId: row.id, roomId: 'talk' } : null);
  });

  it('is none where the recording was not deleted', async () => {
    const scene = new CoreScene();
    expect(await scene.answer(scene.use(ApplyLiveKitEvent).lateMediaOf(about(late)))).toBeNull();
  });
});
