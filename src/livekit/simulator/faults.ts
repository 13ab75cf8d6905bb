import type { SimulatorTimings } from './timings.js';

/** Everything that can be made to go wrong, each as it was seen on a real server. */
export const FAULT_NAMES = [
  /** A definite refusal: 400, nothing is started. */
  'start-refused-400',
  /** No worker offers itself: 503 after a long while, nothing is started. */
  'start-no-capacity',
  /** 500, nothing is started. */
  'start-error',
  /** The worker takes the start late (15.7 s, or `delayMs`); only then does the egress exist. */
  'start-slow',
  /** The egress exists at once, the answer comes late (15.7 s, or `delayMs`). */
  'start-answer-late',
  /** The egress runs; the connection is cut before the answer. */
  'start-answer-lost',
  /** The egress runs; the answer is 500. */
  'start-answer-error',
  /** The egress runs; the answer is 409 `egress already exists`. */
  'start-answer-conflict',
  /** A proxy gives the start up and answers 504 (15.7 s later, or `delayMs`); behind it the start goes on. */
  'start-proxy-504',
  /** The recorder's process fails: 500, and an egress that is FAILED. */
  'handler-failed',
  /** The recorder joins and waits for its start signal for ever. */
  'start-never-active',
  /** The recorder's source closes before it was ACTIVE: ABORTED. */
  'ends-before-active',
  /** The recording child is killed a while (`delayMs`) after ACTIVE: FAILED 500, no file. */
  'child-crash',
  /** The pipeline breaks a while (`delayMs`) after ACTIVE: FAILED 500, no file. */
  'pipeline-failed',
  /** The pipeline does not end when it is told to: FAILED 500 half a minute (or `delayMs`) after ENDING, no file. */
  'pipeline-frozen',
  /** The pipeline stands still a while (`delayMs`) after ACTIVE: no segment any more, while its worker answers; it never ends by itself. */
  'pipeline-wedged',
  /** The recording child is stopped (SIGSTOP) a while (`delayMs`) after ACTIVE: nothing comes of it, a stop is answered 408, and LiveKit lists it as ACTIVE for ever. */
  'child-stopped',
  /** Each segment arrives later (30 s, or `delayMs`). */
  'segments-slow',
  /** Killed for its CPU use a while (`delayMs`) after ACTIVE: FAILED 403 with its file. */
  'cpu-kill-with-file',
  /** The worker's session limit a while (`delayMs`) after ACTIVE: LIMIT_REACHED with its file. */
  'limit-reached',
  /** FAILED 400 at the end, no file. */
  'upload-refused',
  /** The bucket takes nothing, the egress' backup storage does: COMPLETE, and nothing where it should be. */
  'backup-used',
  /** COMPLETE with a file of no bytes. */
  'empty-file',
  /** The upload takes longer (30 s, or `delayMs`). */
  'upload-slow',
  /** A second final report, FAILED, after COMPLETE; the file is there. */
  'complete-then-failed',
  /** The worker's reports between the first and the last are merged away, for the list too. */
  'updates-coalesced',
  /** `egress_updated` is not sent; the list is right. */
  'updated-skipped',
  'webhooks-lost',
  'webhooks-doubled',
  /** Each event 20 s, or `delayMs`, later. */
  'webhooks-late',
  /** Events arrive in any order, within 2 s or `delayMs`. */
  'webhooks-reordered',
  /** ListEgress: 500. */
  'list-fails',
  /** ListEgress by room: 200 and nothing. */
  'list-empty',
  /** Every question about rooms: 500. */
  'rooms-fail',
  /** A stop takes effect; its answer never comes. */
  'stop-no-answer',
  /** A stop has no effect and is answered 408. */
  'stop-408',
  /** A proxy before the server finds nobody behind it: every request is answered 502, in HTML. */
  'proxy-502',
  /** Every connection is cut. */
  'unreachable',
  /** No request is ever answered. */
  'silent',
  /** Every request is refused with 401, in words that repeat its token. */
  'bad-credentials',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

export interface Fault {
  readonly name: FaultName;
  /** A room's name, or `*` for every room and for what is asked about no room in particular. */
  readonly room: string;
  /** How often it strikes before it is over; absent: until it is cleared. */
  readonly times?: number;
  /** For faults that take time, ms as they are, not scaled. */
  readonly delayMs?: number;
}

interface Armed {
  readonly fault: Fault;
  left: number;
}

/** Which faults are set, by name and room. */
export class FaultBook {
  private readonly armed = new Map<string, Armed>();

  set(fault: Fault): void {
    this.armed.set(keyOf(fault.name, fault.room), { fault, left: fault.times ?? Infinity });
  }

  /** Without a name every fault of the room, without a room every fault. */
  clear(name?: FaultName, room?: string): void {
    for (const [key, { fault }] of this.armed) {
      if ((name ?? fault.name) === fault.name && (room ?? fault.room) === fault.room) this.armed.delete(key);
    }
  }

  /** The fault that strikes now, counted; a fault of the room itself comes before one of every room. */
  strike(name: FaultName, room: string | null): Fault | null {
    const keys = room === null ? [keyOf(name, '*')] : [keyOf(name, room), keyOf(name, '*')];
    for (const key of keys) {
      const found = this.armed.get(key);
      if (!found) continue;
      found.left -= 1;
      if (found.left <= 0) this.armed.delete(key);
      return found.fault;
    }
    return null;
  }

  list(): Fault[] {
    return [...this.armed.values()].map(({ fault, left }) =>
      Number.isFinite(left) ? { ...fault, times: left } : fault,
    );
  }
}

/** How long a fault takes, ms. */
export function faultDelay(
  fault: Fault,
  usual: keyof SimulatorTimings['fault'],
  timings: SimulatorTimings,
): number {
  return fault.delayMs ?? timings.fault[usual];
}

function keyOf(name: FaultName, room: string): string {
  return `${name}|${room}`;
}
