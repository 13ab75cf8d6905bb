import type { GraphqlDoor, TestInstance } from './app.js';
import { eventually } from './eventually.js';
import { EVENT_FIELDS, type EventSeen } from './recording-life.js';

export interface WatchArguments {
  readonly roomId?: string;
  readonly recordingId?: string;
  readonly statuses?: readonly string[];
  readonly after?: string;
}

const SUBSCRIBE = `subscription($roomId: ID, $recordingId: ID, $statuses: [RecordingStatus!], $after: String) {
  recordingEvents(roomId: $roomId, recordingId: $recordingId, statuses: $statuses, after: $after) { ${EVENT_FIELDS} }
}`;

/** A subscription to recordingEvents, with what came and what it was refused with. */
export class EventWatch {
  readonly events: EventSeen[] = [];
  /** The code with which it was refused or broken off; null: none. */
  code: string | null = null;
  ended = false;
  private readonly unsubscribe: () => void;

  constructor(instance: TestInstance, variables: WatchArguments = {}, key?: string) {
    const client = instance.subscriber(key);
    this.unsubscribe = client.subscribe<{ recordingEvents: EventSeen }>(
      { query: SUBSCRIBE, variables: { ...variables } },
      {
        next: ({ data, errors }) => {
          if (data) this.events.push(data.recordingEvents);
          if (errors) this.code = String(errors[0]?.extensions?.code);
        },
        error: (reason) => {
          this.code = codeOf(reason);
          this.ended = true;
        },
        complete: () => {
          this.ended = true;
        },
      },
    );
  }

  get lastCursor(): string | undefined {
    return this.events.at(-1)?.cursor;
  }

  /** `status version` of each event of one recording, in the order in which they came. */
  of(recordingId: string): string[] {
    return this.events
      .filter(({ recording }) => recording.id === recordingId)
      .map(({ recording }) => `${recording.status} ${recording.version}`);
  }

  /** Waits for an event like this. */
  async sees(recordingId: string, like: { status?: string; type?: string }): Promise<void> {
    await eventually(
      () =>
        this.events.some(
          ({ recording, type }) =>
            recording.id === recordingId &&
            (like.status ?? recording.status) === recording.status &&
            (like.type ?? type) === type,
        ) ||
        `of ${recordingId} came ${this.of(recordingId).join(', ') || 'nothing'}; ${this.code ?? 'no error'}`,
    );
  }

  async refused(): Promise<string> {
    await eventually(() => this.code !== null || 'it was not refused');
    return this.code ?? '';
  }

  end(): void {
    this.unsubscribe();
  }
}

function codeOf(reason: unknown): string {
  if (Array.isArray(reason))
    return String((reason[0] as { extensions?: { code?: unknown } }).extensions?.code);
  return reason instanceof Error ? reason.message : `the connection ended: ${JSON.stringify(reason)}`;
}

/** The cursor from which nothing that happens from now on is missed. */
export async function eventCursor(instance: GraphqlDoor): Promise<string> {
  const { data, code } = await instance.graphql<{ recordings: { eventCursor: string } }>(
    '{ recordings(first: 1) { eventCursor } }',
  );
  if (code !== null) throw new Error(`recordings: ${code}`);
  return data.recordings.eventCursor;
}
