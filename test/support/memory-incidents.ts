import { type Incident, type IncidentKind, Incidents } from '../../src/incidents/incidents.port.js';

/** Incidents in memory: those that are open, by their kind and subject. */
export class MemoryIncidents extends Incidents {
  private readonly opened = new Map<string, Incident>();

  async open(kind: IncidentKind, subject: string, detail: string): Promise<void> {
    const name = `${kind} ${subject}`;
    const known = this.opened.get(name);
    this.opened.set(name, { id: name, openedAt: 0, ...known, kind, subject, detail });
  }

  async close(kind: IncidentKind, subject: string): Promise<void> {
    this.opened.delete(`${kind} ${subject}`);
  }

  async openKinds(): Promise<IncidentKind[]> {
    return [...this.opened.values()].map(({ kind }) => kind);
  }

  async list(first: number): Promise<Incident[]> {
    return [...this.opened.values()].slice(0, first);
  }
}
