import { Injectable, Logger } from '@nestjs/common';
import { Incidents } from '../../incidents/incidents.port.js';
import { Clock } from '../../kernel/clock.js';
import type { WorkerKind } from '../../livekit/livekit.types.js';
import { keys } from '../../redis/keys.js';
import { RedisConnections } from '../../redis/redis.connections.js';
import { type KindAvailability, WORKER_KINDS, WorkerAvailability } from './worker-availability.port.js';

/** An answer as old as this still tells who is there. */
const TELLS_MS = 120_000;
/** A start is refused for no older answer; while nobody is there, LiveKit is asked again every few seconds. */
const REFUSES_MS = 45_000;

const DETAIL: Readonly<Record<WorkerKind, string>> = {
  room_composite:
    "no egress worker takes a room's composite: start LiveKit's egress service, look whether it reaches LiveKit's Redis, and give it 4 free CPUs",
  room_composite_audio:
    "no egress worker takes a room's audio: start LiveKit's egress service, look whether it reaches LiveKit's Redis, and give it a free CPU",
};

interface Noted {
  readonly there: boolean;
  readonly at: number;
  readonly since: number;
}

@Injectable()
export class RedisWorkerAvailability extends WorkerAvailability {
  private readonly log = new Logger('Recorders');

  constructor(
    private readonly redis: RedisConnections,
    private readonly incidents: Incidents,
    private readonly clock: Clock,
  ) {
    super();
  }

  async read(): Promise<KindAvailability[]> {
    const rows = await this.redis.run((redis) => redis.hmget(keys.workersAsked(), ...WORKER_KINDS));
    const now = this.clock.now();
    return WORKER_KINDS.map((kind, i): KindAvailability => {
      const noted = parse(rows[i]);
      if (noted === null) return { kind, availability: 'UNKNOWN', since: now };
      if (now - noted.at > TELLS_MS) return { kind, availability: 'UNKNOWN', since: noted.at + TELLS_MS };
      return { kind, availability: noted.there ? 'AVAILABLE' : 'NONE', since: noted.since };
    });
  }

  async isAbsent(kind: WorkerKind): Promise<boolean> {
    const noted = await this.noted(kind);
    return noted !== null && !noted.there && this.clock.now() - noted.at <= REFUSES_MS;
  }

  async note(kind: WorkerKind, isThere: boolean, askedAt: number): Promise<void> {
    const before = await this.noted(kind);
    // Silence takes half a minute to be told: whoever answered since the question was asked knows better.
    if (!isThere && before?.there && before.at > askedAt) return;
    const at = this.clock.now();
    const same = before !== null && before.there === isThere && at - before.at <= TELLS_MS;
    const noted: Noted = { there: isThere, at, since: same ? before.since : at };
    await this.redis.run((redis) => redis.hset(keys.workersAsked(), kind, JSON.stringify(noted)));
    if (isThere) await this.incidents.close('no_egress_worker', kind);
    else await this.incidents.open('no_egress_worker', kind, DETAIL[kind]);
    if (same) return;
    if (!isThere) this.log.error({ event: 'no_egress_worker', message: DETAIL[kind], kind });
    else if (before !== null && !before.there)
      this.log.log({ event: 'egress_worker_available', message: 'an egress worker is there again', kind });
  }

  private async noted(kind: WorkerKind): Promise<Noted | null> {
    return parse(await this.redis.run((redis) => redis.hget(keys.workersAsked(), kind)));
  }
}

function parse(row: string | null | undefined): Noted | null {
  return row == null ? null : (JSON.parse(row) as Noted);
}
