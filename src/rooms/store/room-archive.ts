import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { TallyError } from '../../kernel/errors.js';
import { parseRoomId, type RoomId } from '../../kernel/ids.js';
import { ENCODING_PRESETS, RECORDING_LAYOUTS } from '../../kernel/recording-options.js';
import { ROOM_PREFIX, roomKey } from '../../storage/object-keys.js';
import { ObjectStorage } from '../../storage/object-storage.port.js';
import { DEFAULT_RECORDING_SETTINGS as DEFAULTS, type Room } from '../domain/room.js';

/** One object under rooms/: the room in it, or why there is none. */
export type ArchivedRoom =
  { readonly key: string; readonly room: Room } | { readonly key: string; readonly fault: string };

const instant = z.iso.datetime().transform((text) => Date.parse(text));

/** Settings that a copy doesn't have are younger than it and get their defaults. */
const archived = z.object({
  id: z.string(),
  name: z.string(),
  recordingSettings: z.object({
    enabled: z.boolean().default(DEFAULTS.enabled),
    layout: z.enum(RECORDING_LAYOUTS).default(DEFAULTS.layout),
    preset: z.enum(ENCODING_PRESETS).default(DEFAULTS.preset),
    audioOnly: z.boolean().default(DEFAULTS.audioOnly),
    maxDurationMs: z.int().positive().nullable().default(DEFAULTS.maxDurationMs),
    retentionDays: z.int().positive().nullable().default(DEFAULTS.retentionDays),
    restartWhenLost: z.boolean().default(DEFAULTS.restartWhenLost),
    crashProof: z.boolean().default(DEFAULTS.crashProof),
    autoRecordFrom: z.int().positive().nullable().default(DEFAULTS.autoRecordFrom),
  }),
  createdAt: instant,
  updatedAt: instant,
});

/** The durable copies of rooms in the bucket. Throws STORAGE_UNAVAILABLE where it can't be asked. */
@Injectable()
export class RoomArchive {
  constructor(private readonly storage: ObjectStorage) {}

  async write(room: Room): Promise<void> {
    const { id, name, recordingSettings } = room;
    const copy = {
      id,
      name,
      recordingSettings,
      createdAt: new Date(room.createdAt).toISOString(),
      updatedAt: new Date(room.updatedAt).toISOString(),
    };
    await this.storage.put(roomKey(id), Buffer.from(JSON.stringify(copy, null, 2)), 'application/json');
  }

  async remove(id: RoomId): Promise<void> {
    const key = roomKey(id);
    const result = (await this.storage.deleteMany([key])).get(key);
    if (result?.deleted === true) return;
    throw new TallyError(
      'STORAGE_UNAVAILABLE',
      `the storage did not delete room ${id}; try again in a moment`,
      {
        roomId: id,
        cause: result,
      },
    );
  }

  /** Every object under rooms/, page by page; one that is no room is told with its fault, never left out. */
  async *readAll(): AsyncIterable<ArchivedRoom> {
    for await (const { key } of this.storage.list(ROOM_PREFIX)) {
      const body = await this.storage.get(key);
      // Removed since it was listed.
      if (body !== null) yield parseArchivedRoom(key, body);
    }
  }
}

export function parseArchivedRoom(key: string, body: Buffer): ArchivedRoom {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return { key, fault: `it is no JSON: ${String(error)}` };
  }
  const parsed = archived.safeParse(json);
  if (!parsed.success) return { key, fault: z.prettifyError(parsed.error) };
  const id = parseRoomId(parsed.data.id);
  if (id === null || key !== roomKey(id))
    return { key, fault: `it holds the room ${JSON.stringify(parsed.data.id)}` };
  return { key, room: { ...parsed.data, id } };
}
