import { Dice } from '../world/dice.js';
import { drawTrouble } from './draw-trouble.js';
import type { Action, Plan, RoomPlan } from './plan.js';

/** The whole plan of a run, from its seed alone. */
export function drawPlan(seed: number): Plan {
  const dice = new Dice(seed).stream('plan');
  const instances = dice.int(2, 3);
  // Not drawn, so that every other run is what it was before there were segments.
  const crashProof = seed % 4 === 3;
  const rooms = drawRooms(dice).map((room) => ({ ...room, crashProof }));
  const lengthMs = dice.int(30, 150) * 1_000;
  const actions: Action[] = [];
  for (const room of rooms) drawMeeting(dice, room, lengthMs, actions);
  drawTrouble(dice, rooms, instances, lengthMs, actions);
  actions.sort((a, b) => a.at - b.at);
  const ending = dice.weighted({ 'rooms-close': 3, 'people-leave': 2, 'stop-all': 2 });
  const lobby = dice.chance(0.8);
  const goOnMs = dice.chance(0.6) ? 20_000 : dice.int(40, 150) * 1_000;
  const mostOffMs = dice.chance(0.5) ? 2_000 : 10 * 60_000;
  const skewsMs = Array.from({ length: instances }, () => dice.int(-mostOffMs, mostOffMs));
  // A worker of its own for each room or two, or one that takes everything.
  const workers = dice.chance(0.5) ? [] : Array.from({ length: dice.int(1, 2) }, () => dice.int(2, 4));
  const people = { lobby, healAt: lengthMs, goOnMs, ending };
  return { seed, instances, skewsMs, workers, rooms, actions, ...people };
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
      reopen: 0.7,
      'delete-many': 1.2,
      'delete-room': 0.3,
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
    } else if (what === 'delete-many') {
      actions.push({ at, do: what, room: id, scope: dice.pick(['ids', 'room']), dryRun: dice.chance(0.2) });
    } else if (what === 'delete-room') {
      actions.push({ at, do: what, room: id, policy: dice.pick(['FAIL', 'KEEP', 'DELETE']) });
      actions.push({ at: at + dice.int(1, 15_000), do: 'make-room', room: id });
    } else if (what === 'reopen') {
      actions.push({
        at,
        do: 'reopen-room',
        room: id,
        inMs: dice.int(10, dice.chance(0.5) ? 2_000 : 20_000),
      });
    } else if (what === 'close') {
      actions.push({ at, do: 'close-room', room: id });
    } else {
      actions.push({ at, do: what, room: id, who });
    }
    at += dice.chance(0.3) ? dice.int(1, 1_500) : dice.int(1_000, 25_000);
  }
}
