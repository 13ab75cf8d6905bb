import { newRecordingId, type RoomId } from '../../../src/kernel/ids.js';
import { mediaKey } from '../../../src/storage/object-keys.js';
import { strangersOutput } from '../world/sim-storage.js';
import type { SimWorld } from '../world/sim-world.js';
import type { Action } from './plan.js';

type Trouble = Extract<
  Action,
  {
    do:
      | 'fault'
      | 'kill-worker'
      | 'stop-worker'
      | 'silence-bus'
      | 'restart-livekit'
      | 'lose-egresses'
      | 'page-lists'
      | 'end-recorder'
      | 'stranger'
      | 'lose-answers'
      | 'timers'
      | 'storage'
      | 'empty-lists'
      | 'restart-redis'
      | 'lose-redis'
      | 'set-back-redis'
      | 'lose-key'
      | 'crash'
      | 'stop-instance';
  }
>;

/** How long a restarted livekit-server is away and its rooms look empty. */
const LIVEKIT_RESTART_MS = 7_000;
/** A bucket that takes seconds for each request of ours, and a minute and more for a segment of an egress. */
const SLUGGISH_MS = 3_000;
const LATE_SEGMENTS_MS = 75_000;
/** A lease of whoever died at it, a look, and the few rows of a run. */
const REBUILT_WITHIN_MS = 20_000;
/** Looks, asked twice with a pause, at what LiveKit no longer lists. */
const EGRESSES_LOST_MS = 30_000;
/** The pass of a sweep that misses it. */
const KEY_FOUND_MS = 60_000;

/** Makes something go wrong, and right again after its time. */
export function performTrouble(world: SimWorld, action: Trouble): void {
  const { engine, clock, bucket } = world;
  const heal = (ms: number, cure: () => void): void => {
    world.disturb(clock.now() + ms);
    clock.after(ms, cure);
  };
  switch (action.do) {
    case 'fault': {
      const { name, room, times, delayMs, forMs } = action;
      engine.setFault({ name, room, ...(times !== null && { times }), ...(delayMs !== null && { delayMs }) });
      return heal(forMs, () => engine.clearFaults(name, room));
    }
    case 'kill-worker': {
      const [victim] = engine.fleet.list().filter(({ alive }) => alive);
      if (!victim) return;
      engine.killWorker({ id: victim.id, withChild: action.withChild });
      return heal(action.anotherInMs, () => void engine.addWorker(victim.capacity));
    }
    case 'stop-worker': {
      const [victim] = engine.fleet.list().filter(({ alive, paused }) => alive && !paused);
      if (!victim) return;
      engine.pauseWorker(victim.id);
      return heal(action.forMs, () => {
        if (engine.fleet.list().includes(victim)) engine.resumeWorker(victim.id);
      });
    }
    case 'silence-bus':
      engine.busSilent(true);
      return heal(action.forMs, () => engine.busSilent(false));
    case 'restart-livekit':
      engine.restartServer();
      return world.disturb(clock.now() + LIVEKIT_RESTART_MS);
    case 'lose-egresses':
      for (const { id } of world.runningEgresses()) world.unlisted.add(id);
      engine.loseEgresses();
      return world.disturb(clock.now() + EGRESSES_LOST_MS);
    case 'page-lists':
      engine.pageLists(action.size);
      return heal(action.forMs, () => engine.pageLists(null));
    case 'end-recorder':
      return endRecorder(world, action);
    case 'stranger':
      return startStranger(world, action);
    case 'lose-answers':
      world.redis.answersLost = 0.15;
      world.disturb(clock.now() + action.forMs, 'mild');
      return void clock.after(action.forMs, () => {
        world.redis.answersLost = 0;
      });
    case 'timers':
      world.jobs.timerFault = { what: action.what, dice: world.dice.stream('timers') };
      world.disturb(clock.now() + action.forMs, 'mild');
      return void clock.after(action.forMs, () => {
        world.jobs.timerFault = null;
      });
    case 'empty-lists':
      world.listsLookEmpty = true;
      return heal(action.forMs, () => {
        world.listsLookEmpty = false;
      });
    case 'storage':
      if (action.what === 'away') bucket.away = true;
      if (action.what === 'delete-fails') bucket.deleteFails = 0.6;
      if (action.what === 'answers-lost') bucket.answersLost = 0.3;
      if (action.what === 'slow') bucket.slow = true;
      if (action.what === 'hidden') bucket.hidden = true;
      if (action.what === 'old-lists') bucket.listedUntil = clock.now();
      if (action.what === 'sluggish') bucket.slowByMs = SLUGGISH_MS;
      if (action.what === 'sluggish')
        engine.setFault({ name: 'segments-slow', room: '*', delayMs: LATE_SEGMENTS_MS });
      return heal(action.forMs, () => healStorage(world, action.what));
    case 'restart-redis':
      world.redis.restart(action.forMs, action.losing);
      return world.disturb(clock.now() + action.forMs + 1_000);
    case 'lose-redis':
      world.redis.loseAll(action.forMs);
      return world.disturb(clock.now() + action.forMs + REBUILT_WITHIN_MS);
    case 'set-back-redis': {
      const { forMs, agoMs, rebuiltInMs } = action;
      world.redis.setBack(forMs, agoMs);
      clock.after(forMs + rebuiltInMs, () => {
        world.recordings.meta.delete('epoch');
        // What was said since, and has not reached the bucket, is lost with it.
        world.redis.losses += 1;
      });
      return world.disturb(clock.now() + forMs + rebuiltInMs + REBUILT_WITHIN_MS);
    }
    case 'lose-key':
      loseKey(world, action);
      return world.disturb(clock.now() + KEY_FOUND_MS);
    case 'crash':
      return crash(world, action);
    case 'stop-instance': {
      const instance = world.instances[action.place];
      instance?.life.pause();
      return heal(action.forMs, () => instance?.life.resume());
    }
  }
}

function endRecorder(world: SimWorld, { room, how }: Extract<Action, { do: 'end-recorder' }>): void {
  const [egress] = world.runningEgresses().filter((one) => one.room === room);
  if (!egress) return;
  world.disturb(world.clock.now());
  if (how !== 'left') return world.engine.endEgress(egress.id, how);
  const inside = world.engine.rooms.find(room)?.participants.has(egress.id);
  if (inside) world.engine.leave(room, egress.id);
}

/** It records until its people stop it, or its room is closed. */
function startStranger(world: SimWorld, action: Extract<Action, { do: 'stranger' }>): void {
  const { room, sameKey, marked, forMs } = action;
  const ofOurs = sameKey ? world.rows().filter(({ roomId }) => roomId === room) : [];
  const id = ofOurs.at(-1)?.id ?? newRecordingId(world.clock.now());
  const output = strangersOutput(
    mediaKey({ id, roomId: room as RoomId, audioOnly: true, crashProof: false }),
    marked,
  );
  const order = {
    roomName: room,
    layout: 'grid',
    preset: 'H264_720P_30',
    audioOnly: true,
    output,
    segments: null,
  } as const;
  const stop = (egressId: string): void =>
    void world.clock.after(forMs, () => void world.door.stopEgress(egressId).catch(() => undefined));
  world.door.startEgress({ ...order, withinMs: 30_000 }).then(
    (outcome) => outcome.kind === 'accepted' && stop(outcome.egress.egressId),
    () => undefined,
  );
}

/** Nothing tells anybody of it. */
function loseKey(world: SimWorld, { room, what }: Extract<Action, { do: 'lose-key' }>): void {
  const { recordings, recorders, sweeps, redis } = world;
  const ids = world.rows().flatMap(({ id, roomId }) => (roomId === room ? [id] : []));
  const id = ids.sort().at(-1);
  if (id === undefined) return;
  redis.losses += 1;
  switch (what) {
    case 'slot':
      return recordings.slots.delete(room);
    case 'row':
      return recordings.rows.delete(id);
    case 'unsettled':
      return recordings.unsettled.delete(id);
    case 'outbox':
      return recordings.outbox.clear();
    case 'recorders':
      return Object.values(recorders).forEach((table) => table.clear());
    case 'candidates':
      sweeps.candidates.clear();
      return sweeps.held.clear();
  }
}

function crash(world: SimWorld, action: Extract<Action, { do: 'crash' }>): void {
  const { clock } = world;
  const { place, backInMs } = action;
  world.instances[place]?.life.crashAfter(action);
  // One that has nothing to do dies all the same.
  clock.after(Math.min(backInMs, 2_000), () => world.killInstance(place));
  world.disturb(clock.now() + backInMs, action.mild ? 'mild' : 'hard');
  clock.after(backInMs, () => world.startInstance(place));
}

function healStorage({ bucket, engine }: SimWorld, what: Extract<Action, { do: 'storage' }>['what']): void {
  if (what === 'away') bucket.away = false;
  if (what === 'delete-fails') bucket.deleteFails = 0;
  if (what === 'answers-lost') bucket.answersLost = 0;
  if (what === 'slow') bucket.slow = false;
  if (what === 'hidden') bucket.hidden = false;
  if (what === 'old-lists') bucket.listedUntil = null;
  if (what === 'sluggish') {
    bucket.slowByMs = 0;
    engine.clearFaults('segments-slow', '*');
  }
}
