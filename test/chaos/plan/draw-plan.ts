import type { FaultName } from '../../../src/livekit/simulator/faults.js';
import { Dice } from '../world/dice.js';
import type { Action, Plan, RoomPlan } from './plan.js';

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
  'handler-failed': 1,
  'start-never-active': 2,
  'ends-before-active': 1,
  'child-crash': 2,
  'pipeline-failed': 1,
  'cpu-kill-with-file': 1,
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
  silent: 1,
};

/** What happens in the plan besides people's coming and going; each run leaves some kinds out, so that others are seen alone. */
const KINDS = {
  fault: 10,
  crash: 5,
  'stop-instance': 3,
  'restart-redis': 3,
  storage: 3,
  'kill-worker': 3,
  'stop-worker': 2,
  'silence-bus': 2,
  'restart-livekit': 1.5,
} as const;
type Kind = keyof typeof KINDS;

/** The whole plan of a run, from its seed alone. */
export function drawPlan(seed: number): Plan {
  const dice = new Dice(seed).stream('plan');
  const instances = dice.int(2, 3);
  const rooms = drawRooms(dice);
  const lengthMs = dice.int(30, 150) * 1_000;
  const actions: Action[] = [];
  for (const room of rooms) drawMeeting(dice, room, lengthMs, actions);
  drawTrouble(dice, rooms, instances, lengthMs, actions);
  actions.sort((a, b) => a.at - b.at);
  const ending = dice.weighted({ 'rooms-close': 3, 'people-leave': 2, 'stop-all': 2 });
  return { seed, instances, rooms, actions, lobby: dice.chance(0.8), healAt: lengthMs, ending };
}

function drawRooms(dice: Dice): RoomPlan[] {
  const count = dice.int(1, 3);
  return Array.from({ length: count }, (_, i) => ({
    id: `room-${i + 1}`,
    people: Array.from({ length: dice.int(1, 3) }, (_person, n) => `person-${n + 1}`),
    restartWhenLost: dice.chance(0.7),
  }));
}

function drawMeeting(dice: Dice, room: RoomPlan, lengthMs: number, actions: Action[]): void {
  const { id, people } = room;
  for (const who of people) actions.push({ at: dice.int(0, 3_000), do: 'join', room: id, who });
  let at = dice.int(500, 6_000);
  let keys = 0;
  while (at < lengthMs) {
    const what = dice.weighted({
      start: 6,
      stop: 4,
      delete: 3,
      leave: 2,
      join: 2,
      mute: 1,
      unmute: 1,
      close: 0.7,
    });
    const who = dice.pick(people);
    if (what === 'start') {
      const again = keys > 0 && dice.chance(0.3);
      if (!again) keys += 1;
      actions.push({
        at,
        do: 'start',
        room: id,
        key: dice.chance(0.5) ? `key-${id}-${keys}` : null,
        wait: dice.chance(0.7),
        audioOnly: dice.chance(0.3),
        times: dice.chance(0.03) ? 50 : dice.chance(0.15) ? dice.int(2, 5) : 1,
        maxDurationMs: dice.chance(0.2) ? dice.int(5, 40) * 1_000 : null,
      });
    } else if (what === 'stop' || what === 'delete') {
      actions.push({ at, do: what, room: id, times: dice.chance(0.15) ? 3 : 1 });
    } else if (what === 'close') {
      actions.push({ at, do: 'close-room', room: id });
    } else {
      actions.push({ at, do: what, room: id, who });
    }
    at += dice.chance(0.3) ? dice.int(1, 1_500) : dice.int(1_000, 25_000);
  }
}

function drawTrouble(
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
    actions.push({ at, ...drawOne(dice, dice.weighted(kinds), rooms, instances, forMs) } as Action);
  }
}

function drawOne(
  dice: Dice,
  kind: Kind,
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
      return { do: kind, name, room, times, delayMs: null, forMs };
    }
    case 'crash':
      return {
        do: kind,
        place: dice.int(0, instances - 1),
        calls: dice.int(1, 25),
        withEffect: dice.chance(0.5),
        backInMs: dice.int(500, 20_000),
      };
    case 'stop-instance':
      return { do: kind, place: dice.int(0, instances - 1), forMs };
    case 'restart-redis':
      return { do: kind, forMs: dice.int(50, 12_000), losing: dice.chance(0.5) };
    case 'storage':
      return { do: kind, what: dice.pick(['away', 'delete-fails', 'answers-lost', 'slow']), forMs };
    case 'kill-worker':
      return {
        do: kind,
        withChild: dice.chance(0.5),
        anotherInMs: dice.chance(0.6) ? 0 : dice.int(1_000, 60_000),
      };
    case 'stop-worker':
    case 'silence-bus':
      return { do: kind, forMs };
    case 'restart-livekit':
      return { do: kind };
  }
}
