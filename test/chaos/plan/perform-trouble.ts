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
      | 'storage'
      | 'empty-lists'
      | 'restart-redis'
      | 'lose-redis'
      | 'crash'
      | 'stop-instance';
  }
>;

/** How long a restarted livekit-server is away and its rooms look empty. */
const LIVEKIT_RESTART_MS = 7_000;
/** A lease of whoever died at it, a look, and the few rows of a run. */
const REBUILT_WITHIN_MS = 20_000;

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
      return heal(action.anotherInMs, () => void engine.addWorker());
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
      return heal(action.forMs, () => healStorage(world, action.what));
    case 'restart-redis':
      world.redis.restart(action.forMs, action.losing);
      return world.disturb(clock.now() + action.forMs + 1_000);
    case 'lose-redis':
      world.redis.loseAll(action.forMs);
      return world.disturb(clock.now() + action.forMs + REBUILT_WITHIN_MS);
    case 'crash':
      return crash(world, action);
    case 'stop-instance': {
      const instance = world.instances[action.place];
      instance?.life.pause();
      return heal(action.forMs, () => instance?.life.resume());
    }
  }
}

function crash(world: SimWorld, action: Extract<Action, { do: 'crash' }>): void {
  const { clock } = world;
  const { place, backInMs } = action;
  world.instances[place]?.life.crashAfter(action);
  // One that has nothing to do dies all the same.
  clock.after(Math.min(backInMs, 2_000), () => world.killInstance(place));
  world.disturb(clock.now() + backInMs);
  clock.after(backInMs, () => world.startInstance(place));
}

function healStorage({ bucket }: SimWorld, what: Extract<Action, { do: 'storage' }>['what']): void {
  if (what === 'away') bucket.away = false;
  if (what === 'delete-fails') bucket.deleteFails = 0;
  if (what === 'answers-lost') bucket.answersLost = 0;
  if (what === 'slow') bucket.slow = false;
}
