import type { Action, Plan } from './plan.js';

const ROOM = 'room-1';
const WHO = 'person-1';

export function aStart(at: number, more: Partial<Extract<Action, { do: 'start' }>> = {}): Action {
  const how = { key: null, wait: true, audioOnly: true, times: 1, maxDurationMs: null };
  return { at, do: 'start', room: ROOM, ...how, ...more };
}

/** A meeting of one in one room that is recorded after three seconds, and to which `actions` happen. */
export function aPlan(actions: readonly Action[], more: Partial<Plan> = {}): Plan {
  const meeting: Action[] = [{ at: 0, do: 'join', room: ROOM, who: WHO }, aStart(3_000)];
  return {
    seed: 1,
    instances: 2,
    skewsMs: [0, 0],
    workers: [],
    rooms: [{ id: ROOM, people: [WHO], restartWhenLost: true }],
    actions: [...meeting, ...actions].sort((a, b) => a.at - b.at),
    lobby: true,
    healAt: 60_000,
    goOnMs: 120_000,
    ending: 'rooms-close',
    ...more,
  };
}

const killWorker = (at: number, anotherInMs = 0): Action => ({
  at,
  do: 'kill-worker',
  withChild: true,
  anotherInMs,
});
/** The room's recordings are crash-proof. */
const PROOF = { rooms: [{ id: ROOM, people: [WHO], restartWhenLost: true, crashProof: true }] };
const stop = (at: number): Action => ({ at, do: 'stop', room: ROOM, times: 1 });
const reopen = (at: number, inMs: number): Action => ({ at, do: 'reopen-room', room: ROOM, inMs });
const fault = (at: number, name: Extract<Action, { do: 'fault' }>['name'], more: object = {}): Action => ({
  ...{ at, do: 'fault', name, room: ROOM, times: null, delayMs: null, forMs: 50_000 },
  ...more,
});
const crash = (at: number, place: number, what: string, calls: number, more: object = {}): Action => ({
  ...{ at, do: 'crash', place, what, calls },
  ...{ withEffect: false, backInMs: 5_000, ...more },
});

/** Single histories in which a defect that others had, or we, would show at once; by what they are about. */
export const CASES: ReadonlyMap<string, Plan> = new Map([
  [
    'the process dies after it claimed its start',
    aPlan([0, 1].map((place) => crash(2_900, place, 'startEgress', 1))),
  ],
  [
    'the process dies before it claims its start',
    aPlan([0, 1].map((place) => crash(2_900, place, 'commit', 2, { mild: true }))),
  ],
  [
    'Redis forgets that somebody has to come back to a recording whose worker is dead',
    aPlan(
      [
        fault(22_376, 'upload-slow', { times: 1, delayMs: 25_000, forMs: 5_000 }),
        stop(23_974),
        { at: 30_996, do: 'leave', room: ROOM, who: WHO },
        killWorker(38_866),
        { at: 54_304, do: 'lose-key', room: ROOM, what: 'unsettled' },
      ],
      {
        lobby: false,
        rooms: [{ id: ROOM, people: [WHO], restartWhenLost: true, crashProof: true }],
        healAt: 104_000,
      },
    ),
  ],
  [
    'Redis and the bucket know nothing of a recording whose worker dies',
    aPlan(
      [
        { at: 2_000, do: 'storage', what: 'away', forMs: 41_844 },
        { at: 9_000, do: 'lose-key', room: ROOM, what: 'row' },
        { at: 13_000, do: 'kill-worker', withChild: false, anotherInMs: 0 },
      ],
      { ending: 'stop-all' },
    ),
  ],
  [
    'LiveKit loses its records before the limit of what records while the message bus is silent',
    aPlan(
      [
        { at: 500, do: 'leave', room: ROOM, who: WHO },
        { at: 30_000, do: 'join', room: ROOM, who: WHO },
        aStart(31_000, { maxDurationMs: 14_000 }),
        { at: 42_000, do: 'silence-bus', forMs: 24_000 },
        { at: 44_000, do: 'lose-egresses' },
      ],
      { healAt: 100_000 },
    ),
  ],
  [
    'a start in a room whose making fails',
    aPlan(
      [
        { at: 1_500, do: 'delete-room', room: ROOM, policy: 'KEEP' },
        { at: 2_000, do: 'storage', what: 'away', forMs: 12_000 },
        { at: 2_900, do: 'reopen-room', room: ROOM, inMs: 0 },
        ...[0, 1, 2, 3].map((n) => aStart(5_000 + n, { times: 4 })),
      ],
      { instances: 3, ending: 'stop-all' },
    ),
  ],
  [
    'Redis carries commands out and does not answer',
    aPlan([{ at: 2_000, do: 'lose-answers', forMs: 40_000 }, stop(20_000)]),
  ],
  [
    'another deployment records the same room',
    aPlan([{ at: 15_000, do: 'stranger', room: ROOM, sameKey: false, marked: true, forMs: 150_000 }]),
  ],
  [
    'another deployment writes to the very key of ours',
    aPlan([{ at: 15_000, do: 'stranger', room: ROOM, sameKey: true, marked: false, forMs: 150_000 }]),
  ],
  [
    'a continuation that does not become active',
    aPlan([killWorker(15_000), fault(16_000, 'start-never-active', { times: 1 })], { healAt: 75_000 }),
  ],
  [
    'a worker dies with all it records and little place is left',
    aPlan(
      ['room-2', 'room-3']
        .flatMap((room): Action[] => [{ at: 0, do: 'join', room, who: WHO }, aStart(3_100, { room })])
        .concat(killWorker(15_000, 20_000)),
      {
        workers: [3, 1],
        rooms: [ROOM, 'room-2', 'room-3'].map((id) => ({ id, people: [WHO], restartWhenLost: true })),
      },
    ),
  ],
  [
    'the room is another session when its worker is found dead',
    aPlan([killWorker(15_000), reopen(17_000, 1_000)]),
  ],
  [
    'the room is another session before a worker is back',
    aPlan([killWorker(15_000, 35_000), reopen(45_000, 1_000)], { lobby: false }),
  ],
  [
    'the room becomes another session while a continuation is started',
    aPlan([
      killWorker(15_000),
      fault(16_000, 'start-slow', { times: 1, delayMs: 12_000 }),
      reopen(52_000, 500),
    ]),
  ],
  ['a stop while the recorder is being found dead', aPlan([killWorker(15_000), ...[48_500].map(stop)])],
  [
    'a stop while a continuation waits for a worker',
    aPlan([
      { at: 15_000, do: 'end-recorder', room: ROOM, how: 'child-crash' },
      killWorker(15_010, 30_000),
      stop(25_000),
    ]),
  ],
  [
    'a recorder that dies in a room that does not want to be recorded further',
    aPlan([killWorker(15_000)], { rooms: [{ id: ROOM, people: [WHO], restartWhenLost: false }] }),
  ],
  [
    'recorders that die at once, again and again',
    aPlan([fault(2_000, 'child-crash', { forMs: 900_000, delayMs: 2_000 })], {
      healAt: 900_000,
      goOnMs: 20_000,
    }),
  ],
  [
    'two callers with one key',
    aPlan([
      aStart(20_000, { key: 'lesson-1' }),
      aStart(25_000, { key: 'lesson-1', by: 'other' }),
      stop(15_000),
    ]),
  ],
  ['LiveKit loses its records while a worker records', aPlan([{ at: 15_000, do: 'lose-egresses' }])],
  [
    'LiveKit loses its records while the message bus is silent',
    aPlan([
      { at: 18_000, do: 'silence-bus', forMs: 40_000 },
      { at: 20_000, do: 'lose-egresses' },
    ]),
  ],
  [
    'LiveKit loses its records before the message bus falls silent',
    aPlan(
      [
        { at: 12_000, do: 'lose-egresses' },
        { at: 17_000, do: 'silence-bus', forMs: 70_000 },
      ],
      { lobby: false, healAt: 90_000 },
    ),
  ],
  [
    'a worker dies unheard in the only room that is open',
    aPlan(
      [
        { at: 3_580, do: 'stop-worker', forMs: 43_000 },
        { at: 9_000, do: 'close-room', room: ROOM },
        { at: 11_000, do: 'kill-worker', withChild: false, anotherInMs: 0 },
      ],
      { lobby: false },
    ),
  ],
  [
    'a stop of what LiveKit has forgotten while the message bus is silent',
    aPlan([
      { at: 15_000, do: 'silence-bus', forMs: 43_000 },
      { at: 20_000, do: 'lose-egresses' },
      stop(25_000),
      { at: 35_000, do: 'close-room', room: ROOM },
    ]),
  ],
  [
    'a worker dies and LiveKit loses its records',
    aPlan([killWorker(15_000), { at: 16_000, do: 'lose-egresses' }]),
  ],
  [
    'LiveKit loses its records while what was seen too late is still uploaded',
    aPlan(
      [
        fault(2_000, 'start-answer-lost', { times: 1 }),
        fault(2_000, 'webhooks-lost', { forMs: 60_000 }),
        fault(2_000, 'list-fails', { room: '*', forMs: 22_000 }),
        fault(2_000, 'upload-slow', { delayMs: 70_000, forMs: 60_000 }),
        { at: 30_000, do: 'lose-egresses' },
        ...[45_000, 55_000, 65_000].map((at) => aStart(at)),
      ],
      { healAt: 110_000 },
    ),
  ],
  [
    'Redis forgets a recording before the answer to its start comes',
    aPlan([
      fault(2_000, 'start-answer-late', { times: 1, delayMs: 20_000 }),
      { at: 16_000, do: 'lose-key', room: ROOM, what: 'row' },
    ]),
  ],
  [
    'a bulk deletion that dies half way, and a storage that is away for all its further tries',
    aPlan([
      stop(10_000),
      ...[0, 1].map((place) => crash(14_900, place, 'delete', 1, { withEffect: true })),
      { at: 15_000, do: 'delete-many', room: ROOM, scope: 'ids', dryRun: false },
      { at: 15_500, do: 'storage', what: 'away', forMs: 43_000 },
    ]),
  ],
  [
    'a proxy gives a start up that goes on behind it',
    aPlan([
      { at: 10_000, do: 'stop', room: ROOM, times: 1 },
      fault(19_000, 'start-slow', { times: 1, delayMs: 21_000 }),
      fault(19_000, 'start-proxy-504', { times: 1, delayMs: 10_000 }),
      aStart(20_000),
      ...[31_000, 33_000, 36_000, 40_500, 43_000, 46_000].map((at) => aStart(at)),
    ]),
  ],
  ['every timer is lost', aPlan([{ at: 0, do: 'timers', what: 'lost', forMs: 55_000 }], { goOnMs: 160_000 })],
  [
    'a limit whose timer rings early',
    aPlan([
      { at: 0, do: 'timers', what: 'early', forMs: 55_000 },
      stop(10_000),
      ...[20_000, 20_500].map((at) => aStart(at, { maxDurationMs: 35_000 })),
    ]),
  ],
  [
    'a limit whose timer is lost',
    aPlan([
      { at: 10_000, do: 'timers', what: 'lost', forMs: 45_000 },
      stop(11_000),
      aStart(20_000, { maxDurationMs: 30_000 }),
    ]),
  ],
  [
    'Redis forgets who holds a room',
    aPlan([{ at: 15_000, do: 'lose-key', room: ROOM, what: 'slot' }, aStart(17_000), aStart(90_000)]),
  ],
  [
    'Redis forgets a recording while the bucket is unavailable',
    aPlan([
      { at: 15_000, do: 'lose-key', room: ROOM, what: 'row' },
      { at: 14_000, do: 'storage', what: 'away', forMs: 45_000 },
    ]),
  ],
  [
    'Redis is set back to before the recording',
    aPlan([{ at: 15_000, do: 'set-back-redis', forMs: 500, agoMs: 14_000, rebuiltInMs: 8_000 }]),
  ],
  ['a long meeting', aPlan([], { goOnMs: 180_000 })],
  ['nobody publishes for a while', aPlan([{ at: 15_000, do: 'mute', room: ROOM, who: WHO }])],
  ['a start that never becomes active', aPlan([fault(2_000, 'start-never-active')])],
  ['a start that is refused', aPlan([fault(2_000, 'start-refused-400')])],
  [
    'a start of which nobody is told and that the list of its room does not show',
    aPlan([
      fault(2_000, 'start-answer-error', { times: 1 }),
      fault(2_000, 'list-empty', { forMs: 40_000 }),
      fault(2_000, 'webhooks-lost', { forMs: 30_000 }),
    ]),
  ],
  ['a stop that is stored before the recorder is found dead', aPlan([killWorker(15_000), stop(20_000)])],
  ['a stop that nobody hears', aPlan([fault(14_000, 'stop-408', { times: 1 }), stop(15_000)])],
  ['a report that contradicts the one before', aPlan([fault(2_000, 'complete-then-failed'), stop(15_000)])],
  [
    'Redis is away while a recording ends',
    aPlan([
      { at: 14_900, do: 'restart-redis', forMs: 8_000, losing: false },
      { at: 16_000, do: 'end-recorder', room: ROOM, how: 'child-crash' },
    ]),
  ],
  ['the message bus is silent for a moment', aPlan([{ at: 20_000, do: 'silence-bus', forMs: 14_000 }])],
  ['the message bus is silent for long', aPlan([{ at: 15_000, do: 'silence-bus', forMs: 43_000 }])],
  [
    'a worker dies and its recorder stays in the room',
    aPlan([{ at: 15_000, do: 'kill-worker', withChild: false, anotherInMs: 0 }]),
  ],
  [
    'a worker dies in a long upload',
    aPlan([fault(14_000, 'upload-slow', { delayMs: 100_000 }), stop(15_000), killWorker(20_000)]),
  ],
  [
    'a pipeline stands still while people publish',
    aPlan([fault(2_000, 'pipeline-wedged', { times: 1, delayMs: 15_000 })], { ...PROOF, goOnMs: 180_000 }),
  ],
  [
    'a pipeline stands still and the bucket is unavailable for a while',
    aPlan(
      [
        fault(2_000, 'pipeline-wedged', { times: 1, delayMs: 15_000 }),
        { at: 30_000, do: 'storage', what: 'hidden', forMs: 60_000 },
      ],
      { ...PROOF, healAt: 100_000, goOnMs: 180_000 },
    ),
  ],
  [
    'a recording child is stopped while people publish',
    aPlan([fault(2_000, 'child-stopped', { times: 1, delayMs: 15_000 })], {
      ...{ ...PROOF, healAt: 180_000, goOnMs: 60_000 },
    }),
  ],
  [
    'a recording that somebody stops, of a child that is stopped',
    aPlan([fault(2_000, 'child-stopped', { times: 1, delayMs: 15_000 }), stop(25_000)], {
      ...{ ...PROOF, healAt: 250_000, goOnMs: 20_000 },
    }),
  ],
  [
    'a room is closed while the recording child in it is stopped',
    aPlan(
      [
        fault(2_000, 'child-stopped', { times: 1, delayMs: 15_000 }),
        { at: 25_000, do: 'close-room', room: ROOM },
      ],
      { ...PROOF, healAt: 250_000, goOnMs: 20_000 },
    ),
  ],
  [
    'a bucket that is slow for everybody',
    aPlan([{ at: 25_000, do: 'storage', what: 'sluggish', forMs: 150_000 }], {
      ...{ ...PROOF, healAt: 180_000, goOnMs: 60_000 },
    }),
  ],
  [
    'segments that come some seconds late',
    aPlan([fault(25_000, 'segments-slow', { delayMs: 8_000, forMs: 60_000 })], {
      ...{ ...PROOF, healAt: 100_000, goOnMs: 60_000 },
    }),
  ],
  [
    'nobody publishes for long, and an egress that then writes nothing',
    aPlan(
      [
        { at: 15_000, do: 'mute', room: ROOM, who: WHO },
        fault(16_000, 'segments-slow', { delayMs: 130_000, forMs: 120_000 }),
        { at: 136_000, do: 'unmute', room: ROOM, who: WHO },
      ],
      { ...PROOF, healAt: 140_000, goOnMs: 60_000 },
    ),
  ],
  [
    'the bucket is unavailable to us alone',
    aPlan([{ at: 15_000, do: 'storage', what: 'hidden', forMs: 120_000 }], {
      ...{ ...PROOF, healAt: 140_000, goOnMs: 60_000 },
    }),
  ],
  [
    'a list that shows nothing new, of a bucket that is complete',
    aPlan([{ at: 20_000, do: 'storage', what: 'old-lists', forMs: 90_000 }], {
      ...{ ...PROOF, healAt: 120_000, goOnMs: 60_000 },
    }),
  ],
  [
    'Redis is set back to before the recording that records now',
    aPlan(
      [
        aStart(3_000),
        { at: 10_000, do: 'kill-worker', withChild: true, anotherInMs: 2_000 },
        { at: 80_000, do: 'set-back-redis', agoMs: 65_000, forMs: 1_000, rebuiltInMs: 20_000 },
      ],
      { healAt: 110_000 },
    ),
  ],
  ['an upload takes long', aPlan([fault(14_000, 'upload-slow', { delayMs: 100_000 }), stop(15_000)])],
  [
    'a storage that refuses some keys of a deletion',
    aPlan([
      stop(15_000),
      { at: 29_000, do: 'storage', what: 'delete-fails', forMs: 20_000 },
      { at: 30_000, do: 'delete', room: ROOM, times: 1 },
    ]),
  ],
  [
    'a room is emptied while it is recorded and its upload takes long',
    aPlan([
      fault(14_000, 'upload-slow', { delayMs: 30_000 }),
      { at: 15_000, do: 'delete-many', room: ROOM, scope: 'room', dryRun: false },
    ]),
  ],
]);
