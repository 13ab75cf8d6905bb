import { MemoryIncidents } from '../../test/support/memory-incidents.js';
import { Breaker, type BreakerName } from './breaker.js';
import { type Held, SweepStore } from './store/sweep.store.js';
import type { SweepPass } from './sweep.js';

class HeldInMemory extends SweepStore {
  readonly rows = new Map<string, Held>();
  async held(name: string): Promise<Held | null> {
    return this.rows.get(name) ?? null;
  }
  async hold(name: string, held: Held | null): Promise<void> {
    if (held === null) this.rows.delete(name);
    else this.rows.set(name, held);
  }
  save = unasked;
  run = unasked;
  lastRun = unasked;
  candidates = unasked;
  saveCandidates = unasked;
}
function unasked(): Promise<never> {
  throw new Error('a breaker has no business with this');
}

const MANY = ['a', 'b', 'c', 'd'];

describe('the breaker', () => {
  let incidents: MemoryIncidents;
  let breaker: Breaker;
  beforeEach(() => {
    incidents = new MemoryIncidents();
    breaker = new Breaker(new HeldInMemory(), incidents);
  });
  const allows = (
    ids: readonly string[],
    { name = 'STALE_RECORDINGS', ...pass }: Partial<SweepPass> & { name?: BreakerName } = {},
  ): Promise<boolean> =>
    breaker.allows({ dryRun: false, manual: false, ...pass } as SweepPass, name, ids, 10);
  const open = async (): Promise<string[]> =>
    (await incidents.list(9)).map(({ kind, subject }) => `${kind} ${subject}`);

  it('tells a person what it holds back, until passes that agree let it through', async () => {
    expect([await allows(MANY), await open()]).toEqual([false, ['breaker_open STALE_RECORDINGS']]);
    const [{ detail = '' } = {}] = await incidents.list(1);
    expect(detail).toMatch(/STALE_RECORDINGS changed nothing: .*LiveKit.*\(4 at once, of 10\)/);
    expect([await allows(MANY), await open()]).toEqual([false, ['breaker_open STALE_RECORDINGS']]);
    expect([await allows(MANY), await open()]).toEqual([true, []]);
  });

  it('is closed by a pass that sees few, and by a person', async () => {
    for (const over of [() => allows(['a']), () => allows(MANY, { manual: true })]) {
      await allows(MANY);
      expect([await over(), await open()]).toEqual([true, []]);
    }
    expect(await allows(MANY)).toBe(false);
  });

  it('stays open for egresses, however many passes agree, and another does not close it', async () => {
    for (let pass = 0; pass < 5; pass += 1)
      expect(await allows(MANY, { name: 'ORPHANED_EGRESSES' })).toBe(false);
    await allows(['a']);
    expect(await open()).toEqual(['breaker_open ORPHANED_EGRESSES']);
    expect(await allows(MANY, { name: 'ORPHANED_EGRESSES', manual: true })).toBe(true);
    expect(await open()).toEqual([]);
  });

  it('is neither opened nor closed by a pass that changes nothing', async () => {
    expect([await allows(MANY, { dryRun: true }), await open()]).toEqual([false, []]);
    await allows(MANY);
    await allows(['a'], { dryRun: true });
    expect(await open()).toEqual(['breaker_open STALE_RECORDINGS']);
  });
});
