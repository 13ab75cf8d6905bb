import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import { readSegment } from '../../recordings/segments/read-segment.js';
import { makeRealSegment } from './segment-media.js';

const SEGMENTS = {
  output: { kind: 'file', filepath: '/recordings/talk/rec/part' } as const,
  ...{ playlistName: 'index.m3u8', livePlaylistName: 'live.m3u8', seconds: 2 },
};
const FOLDER = '/recordings/talk/rec/';

describe('segments beside the file', () => {
  let play: SimulatedLiveKit;
  beforeEach(() => {
    play = new SimulatedLiveKit();
  });
  const names = (): string[] =>
    [...play.media.keys()].filter((path) => path.startsWith(FOLDER)).map((path) => path.slice(FOLDER.length));
  const text = (name: string): string => play.media.get(`${FOLDER}${name}`)?.toString() ?? '';
  const waitFor = async (name: string): Promise<void> => {
    while (!names().includes(name)) await play.clock.advance(100);
  };
  const record = async (): Promise<string> => {
    play.engine.openRoom('talk');
    const egressId = await play.started('talk', { segments: SEGMENTS });
    await waitFor('part_00002.ts');
    return egressId;
  };

  it('are there as soon as each is whole, and the last one when it ends', async () => {
    const egressId = await record();
    expect(names().toSorted()).toEqual([
      ...['index.m3u8', 'live.m3u8', 'part_00000.ts', 'part_00001.ts', 'part_00002.ts'],
    ]);
    expect(text('part_00001.ts')).toBe('2+2');
    await play.clock.advance(1_000);
    await play.answer(play.livekit.stopEgress(egressId));
    await play.clock.advance(5_000);
    expect(play.status(egressId)).toBe('COMPLETE');
    expect(text('index.m3u8')).toMatch(/part_00000\.ts[^]*part_00003\.ts\n#EXT-X-ENDLIST\n$/);
    expect(play.media.has('/recordings/talk.mp4')).toBe(true);
  });

  it('name the last few in the live list', async () => {
    await record();
    await waitFor('part_00007.ts');
    await play.clock.advance(100);
    expect(text('live.m3u8')).toContain('#EXT-X-MEDIA-SEQUENCE:3\n');
    expect(text('live.m3u8').match(/part_\d+\.ts/g)).toHaveLength(5);
  });

  it('stay when its worker is killed, but the one that was not whole; the file is lost', async () => {
    await record();
    await play.clock.advance(1_500);
    play.engine.killWorker();
    await play.clock.advance(60_000);
    expect(names().filter((name) => name.endsWith('.ts'))).toHaveLength(3);
    expect(play.media.has('/recordings/talk.mp4')).toBe(false);
  });

  it('stop where the pipeline stands still, while its worker answers', async () => {
    play.engine.setFault({ name: 'pipeline-wedged', room: 'talk', delayMs: 6_500 });
    const egressId = await record().catch(() => '');
    const before = names().length;
    await play.clock.advance(30_000);
    expect(names()).toHaveLength(before);
    const [listed] = play.engine.egresses('talk');
    expect(await play.answer(play.livekit.askWorker(listed?.egressId ?? egressId))).toBe('alive');
  });

  it('stop where the recording child is stopped, which hears of no stop and is listed as before', async () => {
    const egressId = await record();
    play.engine.setFault({ name: 'child-stopped', room: 'talk', times: 1, delayMs: 0 });
    await play.clock.advance(100);
    const before = names().length;
    expect(await play.answer(play.livekit.askWorker(egressId))).toBe('alive');
    expect(await play.answer(play.livekit.stopEgress(egressId))).toMatchObject({
      kind: 'no-answer-from-worker',
    });
    await play.clock.advance(60_000);
    expect([names().length, play.status(egressId)]).toEqual([before, 'ACTIVE']);
    // Its room has given it up; continued, it ends without its file.
    expect(play.engine.rooms.find('talk')?.participants.has(egressId)).toBe(false);
    for (const recorder of play.engine.fleet.recorders()) recorder.continueProcess();
    await play.clock.advance(60_000);
    expect(play.status(egressId)).toBe('FAILED');
  });

  it('end the egress where the storage refuses them', async () => {
    const egressId = await record();
    play.refuses = true;
    await play.clock.advance(20_000);
    expect(play.status(egressId)).toBe('FAILED');
  });

  it('are pictures and sound that can be joined', async () => {
    const media = await import('mediabunny');
    const shape = { roomName: 'talk', picture: { width: 1280, height: 720, framesPerSecond: 30 } };
    const bytes = await makeRealSegment({ ...shape, startsAt: 4, seconds: 2 });
    const read = await readSegment(media, bytes);
    if (typeof read === 'string') throw new Error(read);
    expect(read.tracks.get('video')?.samples).toHaveLength(30);
    expect(read.tracks.get('video')?.samples[0]?.pts).toBeCloseTo(4, 2);
    const sound = await readSegment(
      media,
      await makeRealSegment({ ...shape, startsAt: 0, seconds: 0.2, picture: null }),
    );
    expect(typeof sound === 'string' ? sound : [...sound.tracks.keys()]).toEqual(['audio']);
  });
});
