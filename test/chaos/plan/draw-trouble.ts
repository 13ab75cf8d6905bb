import { FORCED_ENDS } from '../../../src/livekit/simulator/engine.js';
import type { FaultName } from '../../../src/livekit/simulator/faults.js';
import type { Dice } from '../world/dice.js';
import { drawScene } from './draw-scene.js';
import { type Action, LOST_KEYS, type RoomPlan } from './plan.js';

/** How probable each fault of LiveKit is, relative to the others. */
const LIVEKIT_FAULTS: Partial<Record<FaultName, number>> = {
  'start-refused-400': 1,
  'start-no-capacity': 1,
  'start-error': 1,
  'start-slow': 3,
  'start-answer-late': 3,
  'start-answer-lost': 3,
  'start-answer-error': 2,
  'start-answer-conflict': 1,
  'start-proxy-504': 2,
  'handler-failed': 1,
  'start-never-active': 2,
  'ends-before-active': 1,
  'child-crash': 2,
  'pipeline-failed': 1,
  'cpu-kill-with-file': 1,
  'pipeline-frozen': 1,
  'pipeline-wedged': 1.5,
  'child-stopped': 1,
  'segments-slow': 1,
  'backup-used': 0.7,
  'empty-file': 0.7,
  'limit-reached': 2,
  'upload-refused': 2,
  'upload-slow': 3,
  'complete-then-failed': 1,
  'updates-coalesced': 2,
  'updated-skipped': 2,
  'webhooks-lost': 5,
  'webhooks-doubled': 3,
  'webhooks-late': 4,
  'webhooks-reordered': 4,
  'list-fails': 2,
  'list-empty': 3,
  'rooms-fail': 2,
  'stop-no-answer': 2,
  'stop-408': 2,
  unreachable: 2,
  'proxy-502': 1.5,
  silent: 1,
};

/** What happens in the plan besides people's coming and going; each run leaves some kinds out, so that others are seen alone. */
const KINDS = {
  fault: 10,
  crash: 5,
  'stop-instance': 3,
  'restart-redis': 3,
  'lose-redis': 0.7,
  storage: 3,
  'kill-worker': 3,
  'stop-worker': 2,
  'silence-bus': 2,
  'restart-livekit': 1.5,
  'empty-lists': 2,
  'lose-egresses': 1,
  'page-lists': 1,
  'end-recorder': 4,
  stranger: 3,
  'lose-answers': 3,
  timers: 3,
  'set-back-redis': 0.7,
  'lose-key': 1.5,
  scene: 9,
} as const;
/** What was never named and is missing from the whole list for longer than this is taken for never made. */
const LONGEST_EMPTY_MS = 1_900;
type Kind = keyof typeof KINDS;

/** What goes wrong in the plan, and for how long. */
export function drawTrouble(
  dice: Dice,
  rooms: readonly RoomPlan[],
  instances: number,
  lengthMs: number,
  actions: Action[],
): void {
  const kinds = Object.fromEntries(
    Object.entries(KINDS).map(([kind, weight]) => [kind, dice.chance(0.5) ? weight : 0]),
  ) as Record<Kind, number>;
  if (Object.values(kinds).every((weight) => weight === 0)) return;
  const amount = dice.int(0, 14);
  for (let i = 0; i < amount; i += 1) {
    const at = dice.int(0, lengthMs - 1);
    const forMs = dice.chance(0.5) ? dice.int(200, 8_000) : dice.int(8_000, 45_000);
    const kind = dice.weighted(kinds);
    if (kind === 'scene') actions.push(...drawScene(dice, dice.pick(rooms).id, at));
    else actions.push({ at, ...drawOne(dice, kind, rooms, instances, forMs) } as Action);
  }
}

/** The longest that each of them can take within the limits of a request. */
function drawDelay(dice: Dice, name: FaultName): number | null {
  // Later than that they are taken for segments that don't come.
  if (name === 'segments-slow') return dice.int(1, 8) * 1_000;
  if (dice.chance(0.4)) return null;
  if (name === 'start-slow' || name === 'start-answer-late') return dice.int(5, 30) * 1_000;
  if (name === 'upload-slow') return dice.int(2, 70) * 1_000;
  if (name === 'webhooks-late') return dice.int(1, 60) * 1_000;
  return null;
}

/** At any await, or at one of those after which something is half done. */
function drawMoment(dice: Dice): { what: string; calls: number } {
  const what = dice.pick([
    '',
    '',
    'commit',
    'add',
    'put',
    'delete',
    'startEgress',
    'stopEgress',
    'take off',
    'advance',
  ]);
  return { what, calls: what === '' ? dice.int(1, 25) : dice.int(1, 3) };
}

function drawOne(
  dice: Dice,
  kind: Exclude<Kind, 'scene'>,
  rooms: readonly RoomPlan[],
  instances: number,
  forMs: number,
): object {
  switch (kind) {
    case 'fault': {
      const name = dice.weighted(LIVEKIT_FAULTS as Record<FaultName, number>);
      const room = dice.chance(0.6) ? dice.pick(rooms).id : '*';
      // A stop that is answered 408 again and again is what LiveKit says of a dead worker.
      const times = name === 'stop-408' || dice.chance(0.4) ? dice.int(1, 2) : null;
      return { do: kind, name, room, times, delayMs: drawDelay(dice, name), forMs };
    }
    case 'crash':
      return {
        do: kind,
        place: dice.int(0, instances - 1),
        ...drawMoment(dice),
        withEffect: dice.chance(0.5),
        backInMs: dice.int(500, 20_000),
      };
    case 'stop-instance':
      return { do: kind, place: dice.int(0, instances - 1), forMs };
    case 'restart-redis':
      return { do: kind, forMs: dice.int(50, 12_000), losing: dice.chance(0.5) };
    case 'lose-redis':
      return { do: kind, forMs: dice.int(50, 8_000) };
    case 'storage':
      return { do: kind, what: dice.pick(['away', 'delete-fails', 'answers-lost', 'slow']), forMs };
    case 'kill-worker':
      return {
        do: kind,
        withChild: dice.chance(0.5),
        anotherInMs: dice.chance(0.6) ? 0 : dice.int(1_000, 60_000),
      };
    case 'stop-worker':
      return { do: kind, forMs };
    case 'silence-bus':
      return { do: kind, forMs: dice.chance(0.5) ? forMs : dice.int(20, 90) * 1_000 };
    case 'empty-lists':
      return { do: kind, forMs: dice.int(200, LONGEST_EMPTY_MS) };
    case 'restart-livekit':
    case 'lose-egresses':
      return { do: kind };
    case 'page-lists':
      return { do: kind, size: dice.int(1, 3), forMs };
    case 'end-recorder':
      return {
        do: kind,
        room: dice.pick(rooms).id,
        how: dice.pick([...FORCED_ENDS, 'left', 'left'] as const),
      };
    case 'stranger':
      return {
        ...{ do: kind, room: dice.pick(rooms).id, forMs },
        ...{ sameKey: dice.chance(0.4), marked: dice.chance(0.5) },
      };
    case 'set-back-redis': {
      const agoMs = dice.int(1, dice.chance(0.5) ? 10 : 120) * 1_000;
      return { do: kind, agoMs, forMs: dice.int(50, 8_000), rebuiltInMs: dice.int(1, 15_000) };
    }
    case 'lose-key':
      return { do: kind, room: dice.pick(rooms).id, what: dice.pick(LOST_KEYS) };
    case 'lose-answers':
      return { do: kind, forMs };
    case 'timers':
      return { do: kind, what: dice.pick(['lost', 'doubled', 'early']), forMs };
  }
}
