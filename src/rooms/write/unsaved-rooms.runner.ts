import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Clock } from '../../kernel/clock.js';
import type { RoomId } from '../../kernel/ids.js';
import { RoomStore } from '../store/room.store.js';
import { RoomSaver } from './room-saver.js';

/** A write that is still unsaved after so long has probably lost its writer; a wrong guess saves the same room twice. */
const ABANDONED_AFTER_MS = 4_000;
const LOOK_EVERY_MS = 3_000;
const AT_ONCE = 100;

/** Saves what a killed process, or a storage that was away, left unsaved; within ten seconds, on whichever instance looks first. */
@Injectable()
export class UnsavedRoomsRunner implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('Rooms');
  private readonly over = new AbortController();
  /** Rooms of which it was said that they can't be saved; none stays when it can. */
  private told: ReadonlySet<RoomId> = new Set();
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: RoomStore,
    private readonly saver: RoomSaver,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.role !== 'api') this.looking = this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.over.abort();
    await this.looking;
  }

  /** How many rooms were saved. Throws when the store can't be asked; a room that can't be saved is tried again at the next look. */
  async saveAbandoned(olderThanMs = ABANDONED_AFTER_MS): Promise<number> {
    const byRoom = new Map<RoomId, string[]>();
    for (const { id, rev } of await this.store.unsaved(olderThanMs, AT_ONCE)) {
      byRoom.set(id, [...(byRoom.get(id) ?? []), rev]);
    }
    let saved = 0;
    const left = new Set<RoomId>();
    for (const [id, writes] of byRoom) {
      try {
        await this.saver.save(id, writes);
        saved += 1;
        this.log.log({ event: 'room_saved_late', message: 'saved a room that was left unsaved', roomId: id });
      } catch (error) {
        left.add(id);
        if (!this.told.has(id)) this.tell(id, error);
      }
    }
    this.told = left;
    return saved;
  }

  /** Once for each room, with what the storage or Redis said. */
  private tell(roomId: RoomId, error: unknown): void {
    const message = 'a room is not saved in the storage yet; it is tried again until it is';
    const cause = error instanceof Error ? error.message : String(error);
    this.log.warn({ event: 'room_not_saved', message, roomId, cause, err: error });
  }

  private async look(): Promise<void> {
    while (await this.pause()) {
      try {
        await this.saveAbandoned();
      } catch (error) {
        this.log.debug({ message: 'unsaved rooms not looked for', cause: String(error) });
      }
    }
  }

  private async pause(): Promise<boolean> {
    return this.clock.sleep(LOOK_EVERY_MS, this.over.signal).then(
      () => true,
      () => false,
    );
  }
}
