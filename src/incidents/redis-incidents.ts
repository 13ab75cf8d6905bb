import { join } from 'node:path';
import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../kernel/clock.js';
import { newIncidentId } from '../kernel/ids.js';
import { keys } from '../redis/keys.js';
import { RedisConnections } from '../redis/redis.connections.js';
import { Script } from '../redis/script.js';
import { INCIDENT_KINDS, type Incident, type IncidentKind, Incidents } from './incidents.port.js';

const openIncident = new Script(join(__dirname, 'open-incident.lua'));
const closeIncident = new Script(join(__dirname, 'close-incident.lua'));
const MOST_INCIDENTS = 1_000;
const MOST_NEWS = 10_000;
const LONGEST_DETAIL = 1_000;

@Injectable()
export class RedisIncidents extends Incidents {
  private readonly log = new Logger('Incidents');

  constructor(
    private readonly redis: RedisConnections,
    private readonly clock: Clock,
  ) {
    super();
  }

  async open(kind: IncidentKind, subject: string, text: string): Promise<void> {
    const openedAt = this.clock.now();
    const detail = text.slice(0, LONGEST_DETAIL);
    const incident: Incident = { id: newIncidentId(openedAt), kind, subject, detail, openedAt };
    try {
      const opened = await openIncident.run(
        this.redis.command,
        [keys.incidents(), keys.openIncidents(), keys.incidentsByAge(), keys.incidentNews()],
        [
          incident.id,
          JSON.stringify(incident),
          nameOf(kind, subject),
          openedAt,
          detail,
          MOST_INCIDENTS,
          MOST_NEWS,
        ],
      );
      if (opened === 1) this.log.error({ event: 'incident_opened', message: detail, kind, subject });
    } catch (error) {
      this.log.error({ event: 'incident_not_stored', message: detail, kind, subject, cause: String(error) });
    }
  }

  async close(kind: IncidentKind, subject: string): Promise<void> {
    try {
      const closed = await closeIncident.run(
        this.redis.command,
        [keys.incidents(), keys.openIncidents(), keys.incidentNews()],
        [nameOf(kind, subject), this.clock.now(), MOST_NEWS],
      );
      if (closed === 1)
        this.log.log({ event: 'incident_closed', message: 'an incident is over', kind, subject });
    } catch (error) {
      this.log.warn({
        event: 'incident_not_closed',
        message: 'told again',
        kind,
        subject,
        cause: String(error),
      });
    }
  }

  async openKinds(): Promise<IncidentKind[]> {
    const names = await this.redis.run((redis) => redis.hkeys(keys.openIncidents()));
    return INCIDENT_KINDS.flatMap((kind) =>
      names.filter((name) => name.startsWith(`${kind} `)).map(() => kind),
    );
  }

  async list(first: number): Promise<Incident[]> {
    const rows = await this.redis.run((redis) => redis.hvals(keys.incidents()));
    const rank = ({ closedAt }: Incident): number => (closedAt === undefined ? 0 : 1);
    return rows
      .map((row) => JSON.parse(row) as Incident)
      .toSorted((a, b) => rank(a) - rank(b) || b.openedAt - a.openedAt || (a.id < b.id ? 1 : -1))
      .slice(0, first);
  }
}

function nameOf(kind: IncidentKind, subject: string): string {
  return `${kind} ${subject}`;
}
