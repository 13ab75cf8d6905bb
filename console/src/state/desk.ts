import { batch, computed, effect, signal } from '@preact/signals';
import type { Recording, RecordingEvent, StartInput, SystemView, Viewer } from '../api/contract.js';
import { isInProgress } from '../api/contract.js';
import {
  DELETE,
  ENDED_BADLY,
  NOW,
  SERVED,
  START,
  STOP,
  SYSTEM,
  SYSTEM_FOR_ALL,
  VIEWER,
} from '../api/documents.js';
import { type Connection, EventFollower, PING_EVERY_MS, PONG_WITHIN_MS } from '../api/events.js';
import { Api, ApiError, messageOf } from '../api/graphql.js';
import { pause } from '../api/pause.js';
import { sentenceOf } from '../words.js';
import { Deletions } from './bulk.js';
import { announce, notify } from './notices.js';
import { now } from './now.js';
import { signOut } from './session.js';

const LOOK_EVERY_MS = 5_000;
const A_DAY_MS = 24 * 3_600_000;
/** A sign of life older than this says nothing of now any more. */
const HEARD_WITHIN_MS = PING_EVERY_MS + PONG_WITHIN_MS + 1_000;

export interface SystemState {
  readonly state: SystemView['state'];
  readonly recorders: SystemView['recorders'];
  /** Null: for an ADMIN of every room alone. */
  readonly all: SystemView | null;
}
export type EventListener = (event: RecordingEvent) => void;

/** Everything behind the page while one credential is signed in. */
export class Desk {
  readonly api: Api;
  readonly deletions: Deletions;
  readonly viewer = signal<Viewer | null>(null);
  readonly connection = signal<Connection>('connecting');
  /** Why nothing new can be shown just now, in the server's words. */
  readonly trouble = signal<string | null>(null);
  readonly system = signal<SystemState | null>(null);
  readonly endedBadly = signal<readonly Recording[]>([]);
  /** Participants of rooms that are recorded; null: LiveKit could not be asked, or the room is not open. */
  readonly participants = signal<ReadonlyMap<string, number | null>>(new Map());
  readonly inProgress = computed(() =>
    [...this.running.value.values()].toSorted((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1)),
  );
  /** How many more are in progress than are shown one by one. */
  readonly beyond = signal(0);
  /** Whether what is shown is so right now. Only a live connection can say that. */
  readonly isKnown = computed(
    () =>
      this.connection.value === 'live' &&
      now.value - this.heardAt.value < HEARD_WITHIN_MS &&
      this.trouble.value === null &&
      this.system.value?.state !== 'UNAVAILABLE',
  );
  /** The moment that everything shown is of, in ms: now, or when it was last known. */
  readonly asOf = computed(() =>
    this.isKnown.value ? now.value : Math.min(this.heardAt.value, this.knownAt.value),
  );

  private readonly running = signal<ReadonlyMap<string, Recording>>(new Map());
  private readonly heardAt = signal(Date.now());
  private readonly knownAt = signal(Date.now());
  private readonly listeners = new Set<EventListener>();
  /** Of recordings that ended or were deleted while an older view of them was on its way. */
  private readonly passed = new Map<string, number>();
  private served: ReadonlySet<string> = new Set();
  private follower: EventFollower | null = null;
  private stopClock: (() => void) | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Grows with every loading, so that the answer to an older one is known as such. */
  private generation = 0;

  constructor(credential: string) {
    this.api = new Api(credential);
    this.deletions = new Deletions(this.api);
  }

  open(): void {
    this.stopClock = effect(() => {
      if (this.isKnown.value) this.knownAt.value = now.value;
    });
    this.timer = setInterval(() => {
      if (document.visibilityState === 'visible' && this.viewer.value) void this.look();
    }, LOOK_EVERY_MS);
    void this.load();
  }

  close(): void {
    this.generation++;
    this.stopClock?.();
    clearInterval(this.timer);
    this.follower?.stop();
    this.deletions.close();
  }

  /** Hears every event of every recording from now on; answers how to stop that. */
  on(listener: EventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Whether this server serves a part of the contract: `Recording.coverage`. */
  serves(coordinate: string): boolean {
    return this.served.has(coordinate);
  }

  may(right: 'start' | 'delete' | 'administer' | 'operate'): boolean {
    const viewer = this.viewer.value;
    if (!viewer) return false;
    if (right === 'start') return viewer.role !== 'VIEWER';
    if (right === 'delete') return viewer.mayDelete;
    return viewer.role === 'ADMIN' && (right === 'administer' || viewer.roomIds === null);
  }

  /** Reads what is in progress, then follows what happens from there on: in this order nothing is missed. */
  private async load(attempt = 0): Promise<void> {
    const generation = ++this.generation;
    this.follower?.stop();
    try {
      if (!this.viewer.value) await this.greet();
      const cursor = await this.readNow(generation);
      if (cursor === null) return;
      this.trouble.value = null;
      this.follow(cursor);
      await Promise.all([this.readEndedBadly(), this.readSystem()]);
    } catch (error) {
      if (generation !== this.generation || this.endsSession(error)) return;
      this.trouble.value = messageOf(error);
      await pause(attempt);
      if (generation === this.generation) void this.load(attempt + 1);
    }
  }

  private async greet(): Promise<void> {
    const [{ viewer }, { recording, settings }] = await Promise.all([
      this.api.ask(VIEWER),
      this.api.ask(SERVED),
    ]);
    this.served = new Set([
      ...(recording.fields ?? []).map(({ name }) => `Recording.${name}`),
      ...(settings.inputFields ?? []).map(({ name }) => `RoomRecordingSettingsInput.${name}`),
    ]);
    this.viewer.value = viewer;
  }

  /** Answers the cursor to follow from; null where somebody has loaded anew meanwhile. */
  private async readNow(generation: number): Promise<string | null> {
    const before = this.running.value;
    const { data } = await this.api.askPartly(NOW);
    if (generation !== this.generation) return null;
    const { nodes, totalCount, eventCursor } = data.recordings;
    // Events overtake this answer: what they have changed since it was asked for stays.
    const changed = [...this.running.value.values()].filter((known) => before.get(known.id) !== known);
    const overtaken = new Set(changed.map(({ id }) => id));
    const current = nodes.filter(
      ({ id, version }) => !overtaken.has(id) && (this.passed.get(id) ?? 0) < version,
    );
    batch(() => {
      this.running.value = new Map([...current, ...changed].map((recording) => [recording.id, recording]));
      this.beyond.value = Math.max(0, (totalCount ?? nodes.length) - nodes.length);
      this.participants.value = new Map(
        nodes.map(({ id, room }) => [id, room?.live?.numParticipants ?? null]),
      );
    });
    return eventCursor;
  }

  private async readEndedBadly(): Promise<void> {
    const since = new Date(Date.now() - 2 * A_DAY_MS).toISOString();
    const { recordings } = await this.api.ask(ENDED_BADLY, { since });
    this.endedBadly.value = recordings.nodes.filter(isBadEnd);
  }

  private async readSystem(): Promise<void> {
    if (this.may('operate')) {
      const { system } = await this.api.ask(SYSTEM);
      this.system.value = { ...system, all: system };
    } else {
      const { system } = await this.api.ask(SYSTEM_FOR_ALL);
      this.system.value = { ...system, all: null };
    }
  }

  /** What no event tells: participants, the system, what was beyond the list. */
  async look(): Promise<void> {
    const { generation } = this;
    try {
      await Promise.all([this.readNow(generation), this.readSystem()]);
      this.trouble.value = null;
    } catch (error) {
      if (generation !== this.generation || this.endsSession(error)) return;
      this.trouble.value = messageOf(error);
    }
  }

  private follow(after: string): void {
    this.follower = new EventFollower(this.api.credential, after, {
      event: (event) => this.take(event),
      heard: () => (this.heardAt.value = Date.now()),
      connection: (connection) => {
        const back = this.connection.value === 'reconnecting' && connection === 'live';
        this.connection.value = connection;
        if (back) void this.look();
      },
      // The log does not reach back to our cursor any more: what is so now is where we go on.
      ended: (error) => {
        if (!this.endsSession(error)) void this.load();
      },
    });
    this.follower.start();
  }

  private take(event: RecordingEvent): void {
    batch(() => {
      this.see(event.recording, event.type === 'DELETED');
      for (const listener of this.listeners) listener(event);
    });
    announce(sentenceOf(event));
  }

  /** Takes in a view of a recording unless a newer one is known: answers and events overtake each other. */
  see(recording: Recording, isDeleted = false): void {
    const known = this.running.value.get(recording.id);
    if ((this.passed.get(recording.id) ?? known?.version ?? 0) >= recording.version && !isDeleted) return;
    const running = new Map(this.running.value);
    if (isInProgress(recording) && !isDeleted) running.set(recording.id, recording);
    else {
      running.delete(recording.id);
      this.remember(recording);
    }
    this.running.value = running;
    const others = this.endedBadly.value.filter(({ id }) => id !== recording.id);
    if (isBadEnd(recording) && !isDeleted) this.endedBadly.value = [recording, ...others];
    else if (others.length < this.endedBadly.value.length) this.endedBadly.value = others;
  }

  private remember({ id, version }: Recording): void {
    this.passed.set(id, version);
    const [oldest] = this.passed.keys();
    if (this.passed.size > 500 && oldest !== undefined) this.passed.delete(oldest);
  }

  /** Answers as soon as the attempt is stored; how it goes on is told by events. */
  async start(input: StartInput, idempotencyKey: string): Promise<void> {
    const variables = { input: { ...input, idempotencyKey, waitForActive: false } };
    this.see((await this.api.ask(START, variables)).startRecording);
  }

  async stop(recording: Pick<Recording, 'id'>): Promise<void> {
    await this.attempt(async () => this.see((await this.api.ask(STOP, { id: recording.id })).stopRecording));
  }

  async delete(recording: Pick<Recording, 'id'>): Promise<void> {
    await this.api.ask(DELETE, { id: recording.id });
  }

  recordingIn(roomId: string): Recording | null {
    return this.inProgress.value.find((recording) => recording.roomId === roomId) ?? null;
  }

  /** Does it; a refusal becomes a notice. Answers whether it was done. */
  async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      if (!this.endsSession(error)) notify(error);
      return false;
    }
  }

  private endsSession(error: unknown): boolean {
    if (!(error instanceof ApiError) || error.code !== 'UNAUTHENTICATED') return false;
    this.close();
    signOut(`${error.message} (${error.code})`);
    return true;
  }
}

/** In the last day, and not because somebody changed their mind. */
function isBadEnd({ status, endReason, endedAt, requestedAt }: Recording): boolean {
  const isBad = status === 'FAILED' || (status === 'ABORTED' && endReason !== 'START_CANCELLED');
  return isBad && Date.now() - Date.parse(endedAt ?? requestedAt) < A_DAY_MS;
}
