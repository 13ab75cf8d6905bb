import { aConfig } from '../../../test/support/a-config.js';
import { SimulatedLiveKit } from '../../../test/support/simulated-livekit.js';
import type { WorkerKind } from '../../livekit/livekit.types.js';
import type { LeaseKeeper } from '../../locks/lease-keeper.js';
import { WorkerAvailability } from './worker-availability.port.js';
import { WorkerCanary } from './worker-canary.js';

class Noted extends WorkerAvailability {
  readonly there = new Map<WorkerKind, boolean>();
  override read = unasked;
  override isAbsent = unasked;
  override async note(kind: WorkerKind, isThere: boolean): Promise<void> {
    this.there.set(kind, isThere);
  }
  get now(): unknown[] {
    return [this.there.get('room_composite'), this.there.get('room_composite_audio')];
  }
}
function unasked(): Promise<never> {
  throw new Error('the canary does not ask');
}
/** One process alone holds every lease. */
const leases = {
  withLease: (_name: string, _ms: number, work: (lost: AbortSignal) => Promise<void>) =>
    work(new AbortController().signal),
} as unknown as LeaseKeeper;

describe('the canary of free workers', () => {
  let play: SimulatedLiveKit;
  let noted: Noted;
  let canary: WorkerCanary;

  const begin = (env: Record<string, string> = {}): void => {
    canary = new WorkerCanary(play.livekit, noted, leases, aConfig(env), play.clock);
    canary.onApplicationBootstrap();
  };
  beforeEach(() => {
    play = new SimulatedLiveKit();
    noted = new Noted();
  });
  afterEach(() => play.clock.until(canary.onApplicationShutdown()));

  it('knows within a minute of the last worker that nobody is there, and within seconds of one that is', async () => {
    play.engine.openRoom('talk');
    begin();
    await play.clock.advance(2_000);
    expect(noted.now).toEqual([true, true]);
    for (const asked of [0, 10_000, 25_000]) {
      await play.clock.advance(asked);
      play.engine.killWorker();
      await play.clock.advance(60_000);
      expect(noted.now).toEqual([false, false]);
      play.engine.addWorker();
      await play.clock.advance(7_000);
      expect(noted.now).toEqual([true, true]);
    }
  });

  it('tells a worker that has room for audio alone from one for a composite', async () => {
    play.engine.openRoom('talk');
    play.engine.killWorker();
    play.engine.addWorker(100, 2);
    begin();
    await play.clock.advance(30_000);
    expect(noted.now).toEqual([false, true]);
  });

  it('asks nobody while no room is open, and leaves nothing behind', async () => {
    begin();
    await play.clock.advance(120_000);
    expect(noted.now).toEqual([undefined, undefined]);
    play.engine.openRoom('talk');
    await play.clock.advance(7_000);
    expect(noted.now).toEqual([true, true]);
    expect(await play.answer(play.livekit.listEgresses())).toEqual([]);
  });

  it('is of processes that run jobs', async () => {
    play.engine.openRoom('talk');
    begin({ ROLE: 'api' });
    await play.clock.advance(60_000);
    expect(noted.now).toEqual([undefined, undefined]);
  });
});
