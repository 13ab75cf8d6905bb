import { batch, computed, signal } from '@preact/signals';
import type { Recording, RecordingEvent, RecordingPage, Room, StartInput } from '../api/contract.js';
import { CREATE_ROOM, DELETE, RECORDINGS, START, STOP } from '../api/documents.js';
import { type Connection, EventFollower } from '../api/events.js';
import { Api, ApiError, messageOf } from '../api/graphql.js';
import { pause } from '../api/pause.js';
import { sentenceOf } from '../words.js';
import {
  addEvent,
  addPage,
  addSeen,
  dropDeleted,
  EVERYTHING,
  inProgress,
  type Ledger,
  type ListFilter,
  listed,
  openLedger,
} from './ledger.js';
import { announce, notify } from './notices.js';
import { NO_ROOMS, readRooms, type Rooms, ROOMS_PER_PAGE } from './rooms.js';
import { signOut } from './session.js';

const RECORDINGS_PER_PAGE = 20;
const LOOK_AT_ROOMS_EVERY_MS = 10_000;

/** Everything behind the page while one credential is signed in. */
export class Desk {
  readonly api: Api;
  readonly rooms = signal<Rooms>(NO_ROOMS);
  readonly ledger = signal<Ledger | null>(null);
  readonly connection = signal<Connection>('connecting');
  readonly filter = signal<ListFilter>(EVERYTHING);
  /** Why nothing new can be shown just now, in the server's words. */
  readonly trouble = signal<string | null>(null);
  readonly loadingMore = signal(false);
  readonly list = computed(() => (this.ledger.value ? listed(this.ledger.value) : null));

  private follower: EventFollower | null = null;
  private roomTimer: ReturnType<typeof setInterval> | undefined;
  /** Grows with every loading, so that the answer to an older one is known as such. */
  private generation = 0;
  private roomsWanted = ROOMS_PER_PAGE;

  constructor(credential: string) {
    this.api = new Api(credential);
  }

  open(): void {
    this.roomTimer = setInterval(() => {
      if (document.visibilityState === 'visible' && this.ledger.value) void this.lookAtRooms();
    }, LOOK_AT_ROOMS_EVERY_MS);
    void this.load();
  }

  close(): void {
    this.generation++;
    clearInterval(this.roomTimer);
    this.follower?.stop();
  }

  show(filter: ListFilter): void {
    this.filter.value = filter;
    void this.load();
  }

  /** Reads the list, then the rooms, then follows what happens from the list's cursor on: in this order nothing is missed. */
  private async load(attempt = 0): Promise<void> {
    const generation = ++this.generation;
    const filter = this.filter.value;
    this.follower?.stop();
    try {
      const page = await this.readPage(filter, null);
      const rooms = await readRooms(this.api, this.roomsWanted);
      if (generation !== this.generation) return;
      batch(() => {
        this.ledger.value = openLedger(filter, page, this.ledger.value?.deleted);
        this.takeRooms(rooms);
        this.trouble.value = null;
      });
      this.follow(page.eventCursor);
    } catch (error) {
      if (generation !== this.generation || this.endsSession(error)) return;
      this.trouble.value = messageOf(error);
      await pause(attempt);
      if (generation === this.generation) void this.load(attempt + 1);
    }
  }

  private follow(after: string): void {
    this.follower = new EventFollower(this.api.credential, after, {
      event: (event) => this.take(event),
      connection: (now) => {
        const back = this.connection.value === 'reconnecting' && now === 'live';
        this.connection.value = now;
        if (back) void this.lookAtRooms();
      },
      // The log does not reach back to our cursor any more: what the list says now is where we go on.
      ended: (error) => {
        if (!this.endsSession(error)) void this.load();
      },
    });
    this.follower.start();
  }

  private take(event: RecordingEvent): void {
    if (!this.ledger.value) return;
    this.ledger.value = addEvent(this.ledger.value, event);
    announce(sentenceOf(event));
    if (!this.rooms.value.list.some((room) => room.id === event.recording.roomId)) void this.lookAtRooms();
  }

  async more(): Promise<void> {
    const { ledger, generation, filter } = this;
    const after = ledger.value?.endCursor;
    if (!after || this.loadingMore.value) return;
    this.loadingMore.value = true;
    await this.attempt(async () => {
      const page = await this.readPage(filter.value, after);
      if (generation === this.generation && ledger.value) ledger.value = addPage(ledger.value, page);
    });
    this.loadingMore.value = false;
  }

  async moreRooms(): Promise<void> {
    this.roomsWanted += ROOMS_PER_PAGE;
    await this.lookAtRooms();
  }

  async createRoom(input: { name: string; id?: string }): Promise<void> {
    await this.api.ask<{ createRoom: Room }>(CREATE_ROOM, { input });
    await this.lookAtRooms();
  }

  /** Answers as soon as the attempt is stored; how it goes on is told by events. */
  async start(input: StartInput, idempotencyKey: string): Promise<void> {
    const answer = await this.api.ask<{ startRecording: Recording }>(START, {
      input: { ...input, idempotencyKey, waitForActive: false },
    });
    this.see(answer.startRecording);
  }

  async stop(recording: Recording): Promise<void> {
    await this.attempt(async () => {
      this.see((await this.api.ask<{ stopRecording: Recording }>(STOP, { id: recording.id })).stopRecording);
    });
  }

  async delete(recording: Recording): Promise<void> {
    await this.api.ask(DELETE, { id: recording.id });
    if (this.ledger.value) this.ledger.value = dropDeleted(this.ledger.value, recording.id);
  }

  recordingIn(roomId: string): Recording | null {
    return this.ledger.value && inProgress(this.ledger.value, roomId);
  }

  private async lookAtRooms(): Promise<void> {
    const generation = this.generation;
    try {
      const rooms = await readRooms(this.api, this.roomsWanted);
      if (generation === this.generation) this.takeRooms(rooms);
    } catch (error) {
      if (generation === this.generation && !this.endsSession(error)) {
        const problem = messageOf(error);
        const list = this.rooms.value.list.map((room) => ({ ...room, liveUnknown: true }));
        this.rooms.value = { ...this.rooms.value, list, problem };
      }
    }
  }

  private takeRooms(rooms: Rooms): void {
    this.rooms.value = rooms;
    for (const { activeRecording } of rooms.list) if (activeRecording) this.see(activeRecording);
  }

  private see(recording: Recording): void {
    if (this.ledger.value) this.ledger.value = addSeen(this.ledger.value, recording);
  }

  private async readPage(filter: ListFilter, after: string | null): Promise<RecordingPage> {
    const wanted = {
      ...(filter.roomId !== null && { roomId: filter.roomId }),
      ...(filter.statuses !== null && { statuses: filter.statuses }),
    };
    const variables = { filter: wanted, first: RECORDINGS_PER_PAGE, after };
    return (await this.api.ask<{ recordings: RecordingPage }>(RECORDINGS, variables)).recordings;
  }

  private async attempt(action: () => Promise<void>): Promise<void> {
    await action().catch((error: unknown) => {
      if (!this.endsSession(error)) notify(error);
    });
  }

  private endsSession(error: unknown): boolean {
    if (!(error instanceof ApiError) || error.code !== 'UNAUTHENTICATED') return false;
    this.close();
    signOut(`${error.message} (${error.code})`);
    return true;
  }
}
