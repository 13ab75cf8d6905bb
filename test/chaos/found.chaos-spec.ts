import type { Action, Plan } from './plan/plan.js';
import { runSeed } from './run-seed.js';

/** A meeting of one in one room, to which `actions` happen. */
function aPlan(actions: readonly Action[]): Plan {
  const meeting: Action[] = [
    { at: 0, do: 'join', room: 'room-1', who: 'person-1' },
    {
      ...{ at: 3_000, do: 'start', room: 'room-1', key: null, wait: true, audioOnly: true },
      ...{ times: 1, maxDurationMs: null },
    },
  ];
  return {
    seed: 1,
    instances: 2,
    skewsMs: [0, 0],
    workers: [],
    rooms: [{ id: 'room-1', people: ['person-1'], restartWhenLost: true }],
    actions: [...meeting, ...actions].sort((a, b) => a.at - b.at),
    lobby: true,
    healAt: 80_000,
    goOnMs: 20_000,
    ending: 'rooms-close',
  };
}

async function violationOf(actions: readonly Action[]): Promise<string | null> {
  const { violated } = await runSeed(1, { plan: aPlan(actions) });
  return violated === null ? null : `${violated.invariant}: ${violated.what}`;
}

describe('what the simulation once found', () => {
  it('a recording that is stopped just as the message bus comes back is not taken for lost', async () => {
    for (let forMs = 30_000; forMs < 50_000; forMs += 500) {
      const back = 10_000 + forMs;
      const violation = await violationOf([
        { at: 10_000, do: 'silence-bus', forMs },
        { at: back + 50, do: 'stop', room: 'room-1', times: 1 },
      ]);
      expect(violation).toBeNull();
    }
  });

  it('a record whose first version had passed before it could be written keeps its room all the same', async () => {
    const violation = await violationOf([{ at: 2_900, do: 'storage', what: 'away', forMs: 8_000 }]);
    expect(violation).toBeNull();
  });
});
