import { aRecordingId, aRoomId } from '../../../test/support/builders.js';
import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import { RoomSignals } from '../../livekit/room-signal.js';
import { SignalRoomJob } from './signal-room.job.js';

describe('what a room is told of its recording', () => {
  it.each([
    ['is told at once', 0, 1],
    ['is told while it is news', 29_000, 1],
    ['is not told once it is old', 31_000, 0],
    ['is told where nobody said when it was, as an earlier version did not', undefined, 1],
  ])('%s', async (_, ageMs, packets) => {
    const play = new SimulatedLiveKit();
    play.engine.openRoom('talk');
    const job = new SignalRoomJob(new RoomSignals(play.livekit), play.clock);
    const at = ageMs === undefined ? undefined : play.clock.now() - ageMs;
    const change = { status: 'ACTIVE', version: 2, error: null } as const;
    await play.answer(job.handle({ recordingId: aRecordingId(), roomId: aRoomId('talk'), ...change, at }));
    expect(play.engine.sentData('talk')).toHaveLength(packets);
  });
});
