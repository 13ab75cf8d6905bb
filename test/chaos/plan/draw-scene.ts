import type { FaultName } from '../../../src/livekit/simulator/faults.js';
import type { Dice } from '../world/dice.js';
import type { Action } from './plan.js';

/** Things that go wrong together, because apart they are seldom where it hurts; each with how probable it is. */
const SCENES = {
  'worker-dies-in-a-long-upload': 3,
  'start-of-which-nobody-is-told': 3,
  'start-that-comes-too-late': 2,
  'stop-that-nobody-hears': 2,
  'delete-that-half-fails': 3,
  'crash-in-a-bulk-deletion': 2,
} as const;

export function drawScene(dice: Dice, room: string, at: number): Action[] {
  switch (dice.weighted(SCENES)) {
    case 'worker-dies-in-a-long-upload':
      return workerDies(dice, room, at);
    case 'start-of-which-nobody-is-told':
      return startUntold(dice, room, at);
    case 'start-that-comes-too-late':
      return [
        fault(room, at, { name: 'start-slow', delayMs: dice.int(20, 31) * 1_000, forMs: 3_000 }),
        start(dice, room, at + 10),
      ];
    case 'stop-that-nobody-hears':
      return [
        fault(room, at, { name: 'stop-408', forMs: 3_000 }),
        { at: at + 10, do: 'stop', room, times: 1 },
      ];
    case 'delete-that-half-fails':
      return halfFails(dice, room, at);
    case 'crash-in-a-bulk-deletion':
      return crashInBulk(dice, room, at);
  }
}

function workerDies(dice: Dice, room: string, at: number): Action[] {
  const delayMs = dice.int(20, 70) * 1_000;
  return [
    fault(room, at, { name: 'upload-slow', delayMs, forMs: 5_000 }),
    { at: at + 10, do: 'stop', room, times: 1 },
    {
      at: at + dice.int(1_000, 20_000),
      do: 'kill-worker',
      withChild: dice.chance(0.5),
      anotherInMs: dice.chance(0.6) ? 0 : dice.int(1_000, 30_000),
    },
  ];
}

/** The answer is lost or tells nothing, and the room's list shows nothing. */
function startUntold(dice: Dice, room: string, at: number): Action[] {
  const name = dice.pick(['start-answer-lost', 'start-answer-error', 'start-answer-conflict'] as const);
  return [
    fault(room, at, { name, forMs: 3_000 }),
    fault(room, at, { name: 'list-empty', times: null, forMs: dice.int(2, 20) * 1_000 }),
    fault(room, at, { name: 'webhooks-late', times: null, delayMs: dice.int(5, 30) * 1_000, forMs: 5_000 }),
    start(dice, room, at + 10),
  ];
}

function halfFails(dice: Dice, room: string, at: number): Action[] {
  return [
    { at, do: 'storage', what: 'delete-fails', forMs: dice.int(2, 30) * 1_000 },
    { at: at + dice.int(1, 500), do: 'delete', room, times: 1 },
    {
      at: at + dice.int(1, 1_500),
      do: 'delete-many',
      room,
      scope: dice.pick(['ids', 'room']),
      dryRun: false,
    },
  ];
}

function crashInBulk(dice: Dice, room: string, at: number): Action[] {
  const crash = { what: dice.pick(['advance', 'delete', 'commit']), calls: dice.int(1, 3) };
  return [
    ...[0, 1].map((place): Action => ({
      ...{ at, do: 'crash', place, ...crash, withEffect: dice.chance(0.5) },
      backInMs: dice.int(3_000, 12_000),
    })),
    { at: at + 5, do: 'delete-many', room, scope: 'ids', dryRun: false },
  ];
}

function fault(
  room: string,
  at: number,
  {
    name,
    forMs,
    times = 1,
    delayMs = null,
  }: {
    name: FaultName;
    forMs: number;
    times?: number | null;
    delayMs?: number | null;
  },
): Action {
  return { at, do: 'fault', name, room, times, delayMs, forMs };
}

function start(dice: Dice, room: string, at: number): Action {
  const wait = dice.chance(0.5);
  return {
    at,
    do: 'start',
    room,
    key: null,
    wait,
    audioOnly: dice.chance(0.3),
    times: 1,
    maxDurationMs: null,
  };
}
