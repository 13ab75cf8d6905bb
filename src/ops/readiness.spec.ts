import { aConfig } from '../../test/support/a-config.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { ReadinessGate } from '../kernel/readiness-gate.js';
import { ReadinessProbe } from './readiness.js';

class Gate extends ReadinessGate {
  override readonly name = 'first-pass';
  override readonly decides = true;
  looks = 0;

  constructor(public opensAtLook: number) {
    super();
  }

  waitingFor(): Promise<string | null> {
    this.looks += 1;
    return Promise.resolve(this.looks < this.opensAtLook ? 'the first pass is not over' : null);
  }
}

function probeOf(clock: VirtualClock, gate: Gate): ReadinessProbe {
  const answers = { strike: () => Promise.resolve(), seen: {}, isConnected: true };
  const redis = { look: () => Promise.resolve(), problems: {} };
  const others = { check: () => Promise.resolve(), checkAccess: () => Promise.resolve(), place: 'a bucket' };
  const discovery = { getProviders: () => [{ instance: gate }] };
  const given: unknown[] = [aConfig(), clock, answers, redis, others, { problem: null }, others, discovery];
  return new ReadinessProbe(...(given as ConstructorParameters<typeof ReadinessProbe>));
}

describe('whether a process is ready', () => {
  it('is told within moments of what it waits for when it starts', async () => {
    const clock = new VirtualClock();
    const probe = probeOf(clock, new Gate(3));
    probe.onApplicationBootstrap();
    await clock.advance(0);
    expect(probe.look(false).status).toBe('not ready');
    await clock.advance(500);
    expect(probe.look(false).status).toBe('ready');
    await probe.onApplicationShutdown();
  });

  it('is looked at every two seconds once it was, or has not become so for long', async () => {
    const clock = new VirtualClock();
    const gate = new Gate(Number.POSITIVE_INFINITY);
    const probe = probeOf(clock, gate);
    probe.onApplicationBootstrap();
    await clock.advance(12_000);
    const before = gate.looks;
    await clock.advance(20_000);
    expect(gate.looks - before).toBe(10);
    gate.opensAtLook = 0;
    await clock.advance(2_000);
    expect(probe.look(false).status).toBe('ready');
    await probe.onApplicationShutdown();
  });
});
