import { badInput } from '../../kernel/errors.js';
import type { RoomId } from '../../kernel/ids.js';
import type { EncodingPreset, RecordingLayout } from '../../kernel/recording-options.js';

/** How recordings of a room are made and kept, where a start doesn't say otherwise. */
export interface RoomRecordingSettings {
  readonly enabled: boolean;
  readonly layout: RecordingLayout;
  readonly preset: EncodingPreset;
  readonly audioOnly: boolean;
  /** Null: the configured maximum. */
  readonly maxDurationMs: number | null;
  /** Null keeps recordings for ever. */
  readonly retentionDays: number | null;
  /** A recorder lost while the meeting goes on is followed by a new recording. */
  readonly restartWhenLost: boolean;
  /** Segments are written beside the file of each recording. */
  readonly crashProof: boolean;
  /** Recording starts by itself as soon as so many participants publish; null: never. */
  readonly autoRecordFrom: number | null;
}

/** A room as Tallylight knows it, open in LiveKit or not; instants in ms since the epoch. */
export interface Room {
  readonly id: RoomId;
  readonly name: string;
  readonly recordingSettings: RoomRecordingSettings;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a change names is changed; what it leaves out stays. */
export interface RoomChange {
  readonly name?: string;
  readonly recordingSettings?: Partial<RoomRecordingSettings>;
}

export const DEFAULT_RECORDING_SETTINGS: RoomRecordingSettings = {
  enabled: true,
  layout: 'GRID',
  preset: 'H264_720P_30',
  audioOnly: false,
  maxDurationMs: null,
  retentionDays: null,
  restartWhenLost: true,
  crashProof: false,
  autoRecordFrom: null,
};

export const MAX_ROOM_NAME_LENGTH = 256;
export const MAX_RETENTION_DAYS = 36_500;
/** More publishers than any room has. */
export const MAX_AUTO_RECORD_FROM = 10_000;

/** Control characters, line separators and halves of characters: nothing that a person can see in a name. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A display name without the space around it. Throws BAD_USER_INPUT for one that is empty, too long or has control characters. */
export function toRoomName(text: string, field = 'name'): string {
  const name = text.trim();
  if (name === '') throw badInput(field, 'is empty; give the room a name that people will see');
  if ([...name].length > MAX_ROOM_NAME_LENGTH) {
    throw badInput(field, `has more than ${MAX_ROOM_NAME_LENGTH} characters; choose a shorter name`);
  }
  if (UNSEEN.test(name)) throw badInput(field, 'has control characters; leave them out');
  return name;
}

export function newRoom(id: RoomId, change: RoomChange & { readonly name: string }, now: number): Room {
  return {
    id,
    name: change.name,
    recordingSettings: { ...DEFAULT_RECORDING_SETTINGS, ...change.recordingSettings },
    createdAt: now,
    updatedAt: now,
  };
}

/** The room after the change; the very same object where the change changes nothing. */
export function changeRoom(room: Room, change: RoomChange, now: number): Room {
  const name = change.name ?? room.name;
  const recordingSettings = { ...room.recordingSettings, ...change.recordingSettings };
  const same =
    name === room.name &&
    Object.entries(recordingSettings).every(
      ([key, value]) => room.recordingSettings[key as keyof RoomRecordingSettings] === value,
    );
  // A clock that was set back must not make a newer room look older.
  return same ? room : { ...room, name, recordingSettings, updatedAt: Math.max(now, room.updatedAt) };
}

/** How names are compared when rooms are searched: without regard to case and to the way accents are encoded. */
export function foldName(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
