import type { Clock } from '../../../src/kernel/clock.js';
import { EVENT_FIELDS, type EventSeen, FINAL, rankOf } from '../../support/recording-life.js';
import type { World } from '../world/world.js';

const FOLLOW = `subscription($after: String) { recordingEvents(after: $after) { ${EVENT_FIELDS} } }`;

/** Follows every event from one instance to the next, from where the last connection ended: none is missing, none comes twice. */
export class Follower {
  readonly violations: string[] = [];
  events = 0;
  connections = 0;
  private readonly last = new Map<string, { version: number; status: string; deleted: boolean }>();
  private cursor: string;

  constructor(
    from: string,
    private readonly world: World,
    private readonly random: () => number,
    private readonly clock: Clock,
  ) {
    this.cursor = from;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.connection(signal);
      await this.sleep(50, signal);
    }
  }

  /** The version that was seen last; null: none. */
  versionOf(id: string): number | null {
    return this.last.get(id)?.version ?? null;
  }

  private async connection(signal: AbortSignal): Promise<void> {
    this.connections += 1;
    const client = this.world.instance(this.random()).subscriber();
    const over = new AbortController();
    const unsubscribe = client.subscribe<{ recordingEvents: EventSeen }>(
      { query: FOLLOW, variables: { after: this.cursor } },
      {
        next: ({ data }) => {
          // What still arrives on a connection that was given up was not taken.
          if (data && !over.signal.aborted) this.take(data.recordingEvents);
        },
        error: (reason) => {
          this.hear(reason);
          over.abort();
        },
        complete: () => over.abort(),
      },
    );
    // Also one that hears nothing more, as from an instance that is paused, ends.
    await this.sleep(1_000 + this.random() * 6_000, AbortSignal.any([signal, over.signal]));
    over.abort();
    unsubscribe();
    client.terminate();
    await client.dispose();
  }

  private hear(reason: unknown): void {
    const [refusal] = Array.isArray(reason) ? (reason as { extensions?: { code?: string } }[]) : [];
    const code = refusal?.extensions?.code;
    if (code !== undefined && code !== 'REDIS_UNAVAILABLE')
      this.violations.push(`the events were refused with ${code}`);
  }

  private take({ cursor, type, recording }: EventSeen): void {
    this.cursor = cursor;
    this.events += 1;
    const { id, version, status } = recording;
    const before = this.last.get(id);
    if (version !== (before?.version ?? 0) + 1) {
      this.violations.push(`of ${id} version ${version} came after ${before?.version ?? 'none'}`);
    }
    if (before?.deleted) this.violations.push(`${id} was deleted and then ${status}`);
    if (
      before &&
      before.status !== status &&
      (FINAL.includes(before.status) || rankOf(status) <= rankOf(before.status))
    ) {
      this.violations.push(`${id} was ${before.status} and then ${status}`);
    }
    this.last.set(id, { version, status, deleted: type === 'DELETED' });
  }

  private async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.clock.sleep(ms, signal).catch((reason: unknown) => {
      if (!signal.aborted) throw reason;
    });
  }
}
