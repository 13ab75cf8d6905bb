import type { Unrecorded } from '../../src/recordings/recorders/unrecorded-rooms.js';

/** Remembers rooms that should be recorded and are not, in this process alone. */
export class MemoryUnrecordedRooms {
  private readonly rooms = new Map<string, Unrecorded>();

  async get(room: string): Promise<Unrecorded | null> {
    return this.rooms.get(room) ?? null;
  }

  async set(room: string, noted: Unrecorded): Promise<void> {
    this.rooms.set(room, noted);
  }

  async forget(room: string): Promise<void> {
    this.rooms.delete(room);
  }
}
