import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import { FleetProbe } from './fleet-probe.js';

describe('the question whether a worker is there', () => {
  let play: SimulatedLiveKit;
  let fleet: FleetProbe;

  beforeEach(() => {
    play = new SimulatedLiveKit();
    fleet = new FleetProbe(play.livekit, play.clock);
    play.engine.openRoom('talk');
    play.engine.killWorker();
  });

  it('is about the kind that is wanted: a place for audio is none for a composite', async () => {
    play.engine.addWorker(100, 2);
    const asked = [
      fleet.isThereNow('talk', 'room_composite_audio'),
      fleet.isThereNow('talk', 'room_composite'),
    ];
    expect(await play.answer(Promise.all(asked))).toEqual([true, false]);
  });

  it('has an answer from a worker that is too busy for a composite, where any will do', async () => {
    play.engine.addWorker(100, 2);
    const { value, tookMs } = await play.timed(fleet.isThere('talk', play.clock.now()));
    expect(value).toBe(true);
    expect(tookMs).toBeLessThan(5_000);
  });

  it('is asked anew of every kind once a place was taken', async () => {
    play.engine.addWorker(1);
    expect(await play.answer(fleet.isThereNow('talk', 'room_composite_audio'))).toBe(true);
    await play.started('talk');
    expect(await play.answer(fleet.isThereNow('talk', 'room_composite_audio'))).toBe(true);
    fleet.taken();
    expect(await play.answer(fleet.isThereNow('talk', 'room_composite_audio'))).toBe(false);
  });

  it('is asked in another room where its own is not open, and finds nobody where none is', async () => {
    play.engine.addWorker();
    expect(await play.answer(fleet.isThere('over', play.clock.now()))).toBe(true);
    play.engine.closeRoom('talk');
    await play.clock.advance(10_000);
    expect(await play.answer(fleet.isThere('over', play.clock.now()))).toBe(false);
  });
});
