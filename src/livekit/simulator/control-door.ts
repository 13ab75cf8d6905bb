import { z } from 'zod';
import { FORCED_ENDS, type SimulatorEngine } from './engine.js';
import { FAULT_NAMES } from './faults.js';
import { httpReceiver } from './webhook-http.js';

/** What a person or a test in another process can do to the simulator beside LiveKit's own API. */
export class ControlDoor {
  constructor(private readonly engine: SimulatorEngine) {}

  /** Carries out `POST /simulator/<name>`. Throws a sentence for an unknown action or an input that it can't take. */
  perform(name: string, input: unknown): unknown {
    const act = ACTIONS.get(name);
    if (!act) throw new Error(`there is no action ${name}; there are ${[...ACTIONS.keys()].join(', ')}`);
    return act(this.engine, input) ?? {};
  }

  /** Everything worth looking at, in plain JSON. */
  state(): unknown {
    const { engine } = this;
    return {
      rooms: engine.rooms.list([]).map(({ name }) => {
        const room = engine.rooms.get(name);
        return {
          ...asJson(room.toRoom()),
          participants: [...room.participants.values()].map(asJson),
        };
      }),
      egresses: engine.egresses().map(asJson),
      runningEgressIds: engine.runningEgressIds(),
      workers: engine.fleet.list().map(({ id, capacity, cores, alive, paused, recorders }) => ({
        id,
        capacity,
        cores: Number.isFinite(cores) ? cores : null,
        alive,
        paused,
        egressIds: [...recorders.keys()],
      })),
      busSilent: engine.fleet.isSilent,
      faults: engine.faults.list(),
      sentData: engine
        .sentData()
        .map(({ payload, ...packet }) => ({ ...packet, payload: payload.toString('utf8') })),
    };
  }
}

type Act = (engine: SimulatorEngine, input: unknown) => unknown;

function action<T>(schema: z.ZodType<T>, act: (engine: SimulatorEngine, input: T) => unknown): Act {
  return (engine, input) => {
    const parsed = schema.safeParse(input);
    if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
    return act(engine, parsed.data);
  };
}

const room = z.string().min(1);
const identity = z.string().min(1);
const seconds = z.number().int().positive().optional();
const worker = z.strictObject({ id: z.string().optional() });
const visit = z.strictObject({ room, identity });

const ACTIONS: ReadonlyMap<string, Act> = new Map([
  [
    'open-room',
    action(
      z.strictObject({
        room,
        publishers: z.array(identity).optional(),
        emptyTimeout: seconds,
        departureTimeout: seconds,
      }),
      (engine, { room: name, ...options }) => engine.openRoom(name, options),
    ),
  ],
  ['close-room', action(z.strictObject({ room }), (engine, input) => engine.closeRoom(input.room))],
  [
    'join',
    action(visit.extend({ kind: z.enum(['standard', 'agent']).optional() }), (engine, input) =>
      engine.join(input.room, input.identity, input.kind),
    ),
  ],
  ['leave', action(visit, (engine, input) => engine.leave(input.room, input.identity))],
  ['publish', action(visit, (engine, input) => engine.publish(input.room, input.identity))],
  ['unpublish', action(visit, (engine, input) => engine.unpublish(input.room, input.identity))],
  [
    'set-fault',
    action(
      z.strictObject({
        name: z.enum(FAULT_NAMES),
        room,
        times: z.number().int().positive().optional(),
        delayMs: z.number().nonnegative().optional(),
      }),
      (engine, fault) => engine.setFault(fault),
    ),
  ],
  [
    'clear-faults',
    action(z.strictObject({ name: z.enum(FAULT_NAMES).optional(), room: room.optional() }), (engine, input) =>
      engine.clearFaults(input.name, input.room),
    ),
  ],
  [
    'kill-worker',
    action(worker.extend({ withChild: z.boolean().optional() }), (engine, input) => engine.killWorker(input)),
  ],
  ['pause-worker', action(worker, (engine, input) => engine.pauseWorker(input.id))],
  ['resume-worker', action(worker, (engine, input) => engine.resumeWorker(input.id))],
  [
    'add-worker',
    action(
      z.strictObject({
        capacity: z.number().int().positive().optional(),
        cores: z.number().positive().optional(),
      }),
      (engine, input) => ({ id: engine.addWorker(input.capacity, input.cores) }),
    ),
  ],
  [
    'bus-silent',
    action(z.strictObject({ silent: z.boolean() }), (engine, input) => engine.busSilent(input.silent)),
  ],
  ['restart-server', action(z.strictObject({}), (engine) => engine.restartServer())],
  ['lose-everything', action(z.strictObject({}), (engine) => engine.loseEverything())],
  ['lose-egresses', action(z.strictObject({}), (engine) => engine.loseEgresses())],
  [
    'plant-ended-egresses',
    action(z.strictObject({ count: z.number().int().min(1).max(100_000) }), (engine, input) =>
      engine.plantEndedEgresses(input.count),
    ),
  ],
  [
    'page-lists',
    action(z.strictObject({ size: z.number().int().positive().nullable() }), (engine, input) =>
      engine.pageLists(input.size),
    ),
  ],
  [
    'set-clock-ahead',
    action(z.strictObject({ ms: z.number() }), (engine, input) => engine.setClockAhead(input.ms)),
  ],
  [
    'end-egress',
    action(z.strictObject({ egressId: z.string(), how: z.enum(FORCED_ENDS) }), (engine, input) =>
      engine.endEgress(input.egressId, input.how),
    ),
  ],
  [
    'drop-egress',
    action(z.strictObject({ egressId: z.string() }), (engine, input) => engine.dropEgress(input.egressId)),
  ],
  [
    'set-webhook-url',
    action(z.strictObject({ url: z.url().nullable() }), (engine, input) =>
      engine.setReceiver(input.url === null ? null : httpReceiver(input.url)),
    ),
  ],
]);

function asJson(message: { toJson(): unknown }): object {
  return Object(message.toJson());
}
