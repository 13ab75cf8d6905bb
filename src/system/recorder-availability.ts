import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { Incidents } from '../incidents/incidents.port.js';
import { onTelemetry } from '../kernel/telemetry.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';

export interface RecorderState {
  readonly kind: string;
  readonly availability: 'AVAILABLE' | 'NONE' | 'UNKNOWN';
  readonly since: number;
}

const KIND = 'room_composite';
/** An answer as old as this still tells who is there. */
const TELLS_MS = 2 * 60_000;
const NOBODY =
  "no egress worker answers: start LiveKit's egress service, or look why it does not reach LiveKit's Redis";
const NOTED_EVERY_MS = 1_000;

interface Noted {
  readonly there: boolean;
  readonly at: number;
  readonly since: number;
}

/**
 * Whether an egress worker would take a recording, from what was asked of workers anyway: those of recordings in progress
 * answer every few seconds. Without any answer it is not known.
 */
@Injectable()
export class RecorderAvailability implements OnApplicationShutdown {
  private notedAt = -Infinity;
  private readonly unhear: () => void;

  constructor(
    private readonly redis: RedisConnections,
    private readonly incidents: Incidents,
    private readonly clock: Clock,
  ) {
    this.unhear = onTelemetry('recorders-asked', ({ there }) => void this.note(there));
  }

  onApplicationShutdown(): void {
    this.unhear();
  }

  /** Throws REDIS_UNAVAILABLE. */
  async read(): Promise<RecorderState[]> {
    const row = await this.redis.run((redis) => redis.get(keys.recordersAsked()));
    const noted = row === null ? null : (JSON.parse(row) as Noted);
    const now = this.clock.now();
    if (noted === null) return this.unknown();
    const isOld = now - noted.at > TELLS_MS;
    const availability = isOld ? 'UNKNOWN' : noted.there ? 'AVAILABLE' : 'NONE';
    return [{ kind: KIND, availability, since: isOld ? noted.at + TELLS_MS : noted.since }];
  }

  unknown(): RecorderState[] {
    return [{ kind: KIND, availability: 'UNKNOWN', since: this.clock.now() }];
  }

  private async note(there: boolean): Promise<void> {
    const at = this.clock.now();
    if (there && at - this.notedAt < NOTED_EVERY_MS) return;
    this.notedAt = at;
    try {
      const row = await this.redis.command.get(keys.recordersAsked());
      const before = row === null ? null : (JSON.parse(row) as Noted);
      const same = before !== null && before.there === there && at - before.at <= TELLS_MS;
      const noted: Noted = { there, at, since: same ? before.since : at };
      await this.redis.command.set(keys.recordersAsked(), JSON.stringify(noted));
      if (there) await this.incidents.close('no_egress_worker', KIND);
      else await this.incidents.open('no_egress_worker', KIND, NOBODY);
    } catch {
      // Asked again in seconds; until then it is not known.
      this.notedAt = -Infinity;
    }
  }
}
